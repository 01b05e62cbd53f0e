"""Augmentations for texts; importing this registers them."""

from ftaug.text.augmentations import mixing

__all__ = ["mixing"]
