"""Networks for pictures, with their stages, preprocessing and pretrained weights."""

from ftaug.image.backbones import resnet20, torchvision

__all__ = ["resnet20", "torchvision"]
