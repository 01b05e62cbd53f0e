"""ftaug: fine-tune a pretrained model on your own data with augmentation."""

__version__ = "0.1.0"
