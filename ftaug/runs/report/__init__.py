"""Console output, plots, tables and predictions."""
