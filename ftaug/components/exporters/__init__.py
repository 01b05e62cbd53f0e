"""Exporters."""

from ftaug.components.exporters import exporters, reduced_precision

__all__ = ["exporters", "reduced_precision"]
