"""Every table of these tests is shown whole in narrow windows."""

from whole_tables import whole_tables

__all__ = ["whole_tables"]
