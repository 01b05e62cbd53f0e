"""Datasets of texts; importing this registers them."""

from ftaug.text.datasets import folder, table

__all__ = ["folder", "table"]
