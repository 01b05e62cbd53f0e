"""Data sources shared by all modalities: class folders, tables, and name normalization."""
