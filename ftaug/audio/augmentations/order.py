"""Checks of the augmentations of sounds as a whole: their order, and the number of masks."""

from __future__ import annotations

from ftaug.audio.augmentations.masks import count_masks
from ftaug.audio.packed import MOST_MASKS
from ftaug.augment.stages import STAGES
from ftaug.config.checks import Found, reads
from ftaug.config.experiment import Experiment
from ftaug.config.problems import predicate
from ftaug.config.registry import Component, nested

WHEN = {
    "time": "is applied while the sound is read",
    "wave": "is applied to the waveform",
    "mel": "is applied to the spectrogram",
}


def _simple(experiment: Experiment) -> list[tuple[tuple[str | int, ...], Component]]:
    """Return the ops for sounds in their order: those inside of others, in place of these."""
    ops = [(where, op) for where, op in nested(experiment.augment, ("augment",)) if op.kind == "augmentation"]
    return [(where, op) for where, op in ops if op.entry.facts.get("stage") and not any(nested(op.settings))]


@reads("augment")
def _stages_are_in_order(experiment: Experiment) -> Found:
    """Refuse an order that cannot be kept."""
    latest: Component | None = None
    for where, op in _simple(experiment):
        stage = op.fact("stage")
        if latest is not None and STAGES.index(stage) < STAGES.index(latest.fact("stage")):
            words = f"{WHEN[stage]}, and {latest.name} {WHEN[latest.fact('stage')]}; list {op.name} before it"
            yield where, predicate(words)
        else:
            latest = op


@reads("augment")
def _masks_fit(experiment: Experiment) -> Found:
    """Refuse more masks than a batch has room for."""
    masks = [(where, op) for where, op in _simple(experiment) if op.fact("stage") == "mel"]
    total = sum(count_masks(op) for _, op in masks)
    if total > MOST_MASKS:
        words = f"and the other masks are {total} together; at most {MOST_MASKS} fit: lower count, or leave one out"
        yield masks[-1][0], predicate(words)
