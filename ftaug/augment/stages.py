"""The order in which augmentations are applied, where a modality applies them at several places."""

from __future__ import annotations

from collections.abc import Sequence

from ftaug.config.registry import Component, Registry, nested

STAGES = ("time", "wave", "mel")
"""Values of the fact `stage` of augmentations: an earlier one is listed before a later one."""


def stage(name: str, augmentations: Registry) -> int:
    """Return the place of an augmentation's stage in their order; 0 if the modality has none."""
    facts = augmentations[name].facts if name in augmentations else {}
    return STAGES.index(facts["stage"]) if "stage" in facts else 0


def place_in(ops: Sequence[Component], name: str, augmentations: Registry) -> int:
    """Return where an augmentation is to be inserted in a list: at the end, or else before those of later stages."""
    own = stage(name, augmentations)
    later = (place for place, op in enumerate(ops) if any(stage(each, augmentations) > own for each in _names(op)))
    return next(later, len(ops))


def _names(op: Component) -> list[str]:
    """Name an augmentation, or those inside it."""
    return [each.name for _, each in nested(op.settings) if each.kind == op.kind] or [op.name]
