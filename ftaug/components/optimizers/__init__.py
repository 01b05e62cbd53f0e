"""Optimizers."""

from ftaug.components.optimizers import optimizers

__all__ = ["optimizers"]
