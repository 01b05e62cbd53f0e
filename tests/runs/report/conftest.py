"""Every table of these tests is shown whole in narrow windows, and every plot is drawn."""

import pytest
from whole_tables import whole_tables

__all__ = ["whole_tables"]


@pytest.fixture(autouse=True)
def _drawn(drawn_plots):
    """Draw all plots."""
