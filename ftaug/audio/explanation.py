"""Explanations of audio predictions: there is no explainer yet, and `ftaug explain` says so."""

from pathlib import Path

suffixes = (".json",)
default_output: Path | None = None
