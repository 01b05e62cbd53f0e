"""Losses."""

from ftaug.components.losses import classification, ordinal, regression

__all__ = ["classification", "ordinal", "regression"]
