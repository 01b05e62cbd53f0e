"""Where samples come from: folders, tables, and how their names are compared."""
