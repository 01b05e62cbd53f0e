"""Augmentations of pictures; importing this registers them."""

from ftaug.image.augmentations import (
    bending,
    camera,
    checks,
    colour,
    crops,
    geometry,
    hiding,
    mixing,
    noise,
    policies,
    torchvision,
    weather,
)

__all__ = [
    "bending",
    "camera",
    "checks",
    "colour",
    "crops",
    "geometry",
    "hiding",
    "mixing",
    "noise",
    "policies",
    "torchvision",
    "weather",
]
