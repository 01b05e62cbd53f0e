"""Datasets of one folder per class, shared by all modalities."""
