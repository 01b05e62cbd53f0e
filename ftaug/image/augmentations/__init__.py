"""Augmentations of pictures; importing this registers them."""

from ftaug.image.augmentations import colour, geometry, mixing, pixels

__all__ = ["colour", "geometry", "mixing", "pixels"]
