"""Augmentations of pictures; importing this registers them."""

from ftaug.image.augmentations import colour, crops, geometry, mixing, pixels

__all__ = ["colour", "crops", "geometry", "mixing", "pixels"]
