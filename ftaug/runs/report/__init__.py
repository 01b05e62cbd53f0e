"""What a run tells its user: the console, plots, tables and predictions."""
