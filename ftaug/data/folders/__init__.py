"""Folders that hold one folder of samples per class, as every modality reads them."""
