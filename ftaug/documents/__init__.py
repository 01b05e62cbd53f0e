"""Documents for readers: the common HTML page, and writers of reports as HTML, Markdown and JSON."""
