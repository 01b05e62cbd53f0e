"""Augmentation policies: whether one carries over to other backbones."""
