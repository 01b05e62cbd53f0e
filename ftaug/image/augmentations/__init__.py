"""Image augmentations; importing this package registers them."""

from ftaug.image.augmentations import (
    blur_and_compression,
    checks,
    color,
    crops,
    distortion,
    erasing,
    geometry,
    mixing,
    noise,
    policies,
    torchvision,
    weather,
)

__all__ = [
    "blur_and_compression",
    "checks",
    "color",
    "crops",
    "distortion",
    "erasing",
    "geometry",
    "mixing",
    "noise",
    "policies",
    "torchvision",
    "weather",
]
