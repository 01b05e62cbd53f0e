"""The corruptions by which the robustness of audio models is measured: noise, band limits, level and coding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ftaug.audio.augmentations.pipeline import Pipeline, changed, masks, time_changes
from ftaug.audio.clip import Clip
from ftaug.audio.io.resample import length
from ftaug.audio.packed import pack
from ftaug.config.registry import Component
from ftaug.interfaces.data import AppliedTransforms, Streams
from ftaug.interfaces.modality import Corruption, Corruptions

RATIOS = (30.0, 20.0, 10.0, 5.0, 0.0)
"""Signal-to-noise ratio of each level, in dB."""
CUTOFFS = (6000.0, 4000.0, 3000.0, 2000.0, 1000.0)
LOW_CUTOFFS = (100.0, 200.0, 400.0, 800.0, 1600.0)
SHARES = (0.02, 0.05, 0.1, 0.2, 0.4)
BITS = (8, 6, 5, 4, 3)
MP3_BIT_RATES = (96.0, 64.0, 48.0, 40.0, 32.0)
OPUS_BIT_RATES = (32.0, 24.0, 16.0, 10.0, 6.0)
"""Bit rates of each level, in kbit/s."""
ECHOES = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Largest level of the echoes of a room at each level, relative to the direct sound."""
FADE = (0.5, 0.5)


def corruptions(preprocessing: Mapping[str, Any]) -> Corruptions:
    """Return the corruptions of sounds, at 5 levels each."""
    noise = {"snr": _pairs(RATIOS)}
    members = [
        Corruption("white_noise", "noise", _levels("noise", **noise, color="white"), ("noise",)),
        Corruption("pink_noise", "noise", _levels("noise", **noise, color="pink"), ("noise",)),
        Corruption("low_pass", "band", _levels("low_pass", frequencies=_pairs(CUTOFFS)), ("low_pass",)),
        Corruption("high_pass", "band", _levels("high_pass", frequencies=_pairs(LOW_CUTOFFS)), ("high_pass",)),
        Corruption("room", "room", _levels("room", wet=ECHOES, seconds=[*FADE], delay=2.0), ("room",)),
        Corruption("clipping", "recording", _levels("clipping", share=SHARES), ("clipping",)),
        Corruption("mu_law", "recording", _levels("mu_law", bits=BITS), ("mu_law",)),
        Corruption("mp3", "coding", _levels("codec", bit_rate=_pairs(MP3_BIT_RATES), coding="mp3"), ("codec",)),
        Corruption("opus", "coding", _levels("codec", bit_rate=_pairs(OPUS_BIT_RATES), coding="opus"), ("codec",)),
    ]
    return Corruptions(members, ["constants of ftaug's own, since none are published for all sounds"])


def _pairs(values: Sequence[float]) -> tuple[tuple[float, float], ...]:
    """Return ranges of one value each."""
    return tuple((value, value) for value in values)


def _levels(op: str, **settings: Any) -> tuple[Component, ...]:
    """Return an op at each level: a tuple has a value for each, another value is that of all."""
    return tuple(
        _component(op, {key: value[level] if isinstance(value, tuple) else value for key, value in settings.items()})
        for level in range(len(RATIOS))
    )


def _component(op: str, settings: Mapping[str, Any]) -> Component:
    return Component("augmentation", op, {**settings, "probability": 1.0}, "audio", "ftaug.audio.augmentations")


class CorruptingPipeline(Pipeline):
    """Read the windows of evaluation, and augment all of them by the same draws."""

    def packed(
        self, clip: Clip, streams: Streams | None, labels: tuple[str, ...] = ()
    ) -> tuple[np.ndarray, AppliedTransforms]:
        """Return packed windows, float32 (windows, HEADER + samples), and what was applied; raises BadData."""
        draws, applied = self.draw(length(clip, self.rate) / self.rate, streams, labels)
        parts = self.windows(clip, time_changes(draws))
        return np.stack([pack(*changed(part, draws, self.rate), masks(draws, part)) for part in parts]), applied


def corrupting_pipeline(augment: Sequence[Component], preprocessing: Mapping[str, Any]) -> CorruptingPipeline:
    """Build the pipeline that corrupts the windows of evaluation by augmentations."""
    return CorruptingPipeline(tuple(augment), dict(preprocessing))
