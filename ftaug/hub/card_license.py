"""The license in the model card of a pretrained model."""

from __future__ import annotations

from pathlib import Path

import yaml

CARD = "README.md"


def card_license(path: str) -> str | None:
    """Return the license that the card of a model names, in a folder or in the cache of the hub; None if unknown."""
    try:
        card = Path(path, CARD) if Path(path).is_dir() else _cached_card(path)
        _, front, _ = card.read_text(encoding="utf-8").split("---\n", 2)
        license = yaml.safe_load(front)["license"]
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError):
        return None
    return license if isinstance(license, str) else None


def _cached_card(name: str) -> Path:
    """Return the card of a model of the hub that was downloaded earlier; raises ValueError, FileNotFoundError."""
    from huggingface_hub import try_to_load_from_cache

    stored = try_to_load_from_cache(name, CARD)
    if not isinstance(stored, str):
        raise FileNotFoundError(CARD)
    return Path(stored)
