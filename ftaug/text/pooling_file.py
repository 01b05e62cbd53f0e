"""The pooling configuration of sentence-transformers, 1_Pooling/config.json."""

from __future__ import annotations

import json
from pathlib import Path

from ftaug.errors import BadData

NAME = "1_Pooling/config.json"


def content(folder: Path) -> str | None:
    """Read the file of a model's folder; None if there is none. Raises BadData."""
    file = folder / NAME
    try:
        return file.read_text(encoding="utf-8") if file.is_file() else None
    except UnicodeDecodeError:
        raise BadData(f"{file}: not UTF-8") from None


def asks_for_mean(folder: Path | str, text: str | None) -> bool:
    """Whether the configuration selects mean pooling over the tokens; raises BadData."""
    if text is None:
        return False
    try:
        settings = json.loads(text)
        # older versions of sentence-transformers write a flag for each mode
        return bool(settings.get("pooling_mode") == "mean" or settings.get("pooling_mode_mean_tokens"))
    except (ValueError, AttributeError):
        raise BadData(f"{folder}/{NAME}: not a JSON object; fix it, or set pooling: model or mean") from None
