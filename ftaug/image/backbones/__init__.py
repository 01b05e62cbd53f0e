"""Networks for pictures, with their stages, preprocessing and pretrained weights."""

from ftaug.image.backbones import resnet20, timm, torchvision

__all__ = ["resnet20", "timm", "torchvision"]
