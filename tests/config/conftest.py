"""Registries of their own for the tests, so that they depend on no real component."""

import pytest

from ftaug.config.registry import REGISTRIES, Registry
from ftaug.experiment_file import import_components

import_components("image")  # so that what a test takes away again is its own


@pytest.fixture
def kinds():
    """A factory of registries that are gone after the test."""
    before = dict(REGISTRIES)
    yield lambda kind, given=("x",), **facts: Registry(kind, given, modality="image", **facts)
    REGISTRIES.clear()
    REGISTRIES.update(before)
