"""Datasets of texts; importing this registers them."""

from ftaug.text.datasets import docstrings, folder, table

__all__ = ["docstrings", "folder", "table"]
