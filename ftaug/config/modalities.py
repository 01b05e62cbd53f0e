"""Properties of a modality that are known before anything is built."""

from __future__ import annotations

from collections.abc import Mapping

WITHOUT_EFFECT: dict[str, Mapping[tuple[str, str], str]] = {}
"""By modality, the settings of the experiment file that do nothing for its samples, each with the reason."""


def declare(modality: str, *, without_effect: Mapping[str, str]) -> None:
    """Declare settings, such as `data.cache`, that have no effect for a modality, with the reason."""
    WITHOUT_EFFECT[modality] = {
        (section, key): why for name, why in without_effect.items() for section, _, key in [name.partition(".")]
    }
