"""ftaug: fine-tune a pretrained model on your own data with augmentation."""

from ftaug.api import load, open_run, train

__version__ = "0.1.0"

__all__ = ["__version__", "load", "open_run", "train"]
