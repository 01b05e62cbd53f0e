"""Augmentations of pictures; importing this registers them."""

from ftaug.image.augmentations import bending, camera, colour, crops, geometry, hiding, mixing, noise, weather

__all__ = ["bending", "camera", "colour", "crops", "geometry", "hiding", "mixing", "noise", "weather"]
