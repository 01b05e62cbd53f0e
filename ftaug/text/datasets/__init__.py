"""Datasets of texts; importing this registers them."""

from ftaug.text.datasets import docstrings

__all__ = ["docstrings"]
