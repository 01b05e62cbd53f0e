"""The datasets of pictures. Importing this package declares them all."""

from ftaug.image.datasets import digits, folder, pcam, printed_letters, table, torchvision

__all__ = ["digits", "folder", "pcam", "printed_letters", "table", "torchvision"]
