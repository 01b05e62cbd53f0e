"""Explanations of image predictions: maps on the original images, and the files that show them."""
