"""Image datasets; importing this package registers them."""

from ftaug.image.datasets import digits, folder, pcam, printed_letters, table, torchvision

__all__ = ["digits", "folder", "pcam", "printed_letters", "table", "torchvision"]
