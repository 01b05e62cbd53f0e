"""Datasets of texts; importing this registers them."""
