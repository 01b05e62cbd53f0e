"""Datasets in a few large files, read at offsets: tar, zip, Parquet and Arrow."""
