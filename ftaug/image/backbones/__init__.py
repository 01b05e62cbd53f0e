"""Image backbones with their stages, preprocessing and pretrained weights; importing this package registers them."""

from ftaug.image.backbones import efficientnet_lite0, resnet20, timm, torchvision

__all__ = ["efficientnet_lite0", "resnet20", "timm", "torchvision"]
