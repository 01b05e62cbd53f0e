"""Checks of sounds before training: what the model will not hear of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from ftaug.audio.augmentations.pipeline import Pipeline
from ftaug.audio.backbones.spectrogram import PICTURE_CHANNELS
from ftaug.audio.center_frequency import center_of
from ftaug.audio.clip import Clip
from ftaug.audio.io.resample import length
from ftaug.audio.io.sound_file import Format, format_of, is_canceled
from ftaug.errors import FtaugError
from ftaug.interfaces.data import Samples

Checked = list[tuple[str, Clip, Format]]

LOOKED_AT = 64
"""Number of sounds, spread over the data set, that are checked before training."""

HEARD = 1.5
"""Seconds of each whose frequencies are measured: of all 64 in a seventh of a second."""

FEWEST_OF_CLASS, MOSTLY = 3, 0.75
"""Checked sounds of a class, and the share of them with a low rate, from which on the class is named."""


def cautions(samples: Samples, ids: np.ndarray, sizes: None, pipeline: Pipeline) -> list[str]:
    """Human-readable cautions about a sample of the sounds: low sampling rates, short sounds, opposite channels."""
    checked: Checked = []
    labels: list[str] = []
    for index in ids[:: max(1, len(ids) // LOOKED_AT)][:LOOKED_AT].tolist():
        try:
            clip = samples.read(index)
            checked.append((samples.name(index), clip, format_of(clip)))
        except FtaugError:  # reported again, with its name, when the sample is read
            continue
        if samples.task.kind == "single_label":
            labels.append(samples.task.classes[int(samples.targets[index])])
    rates = [form.rate for _, _, form in checked]
    return [
        *_low_rates(checked, pipeline),
        *_low_rates_of_a_class(rates, labels, pipeline),
        *_too_high(checked, pipeline),
        *_short(checked, pipeline),
        *_canceled(checked),
    ]


def _has_rate(pipeline: Pipeline) -> bool:
    """Whether the backbone has a setting for its sampling rate: others have the one that their weights expect."""
    form = pipeline.preprocessing
    return not {"waveform", "normalized"} & form.keys() and form["channels"] == PICTURE_CHANNELS


def _has_seconds(pipeline: Pipeline) -> bool:
    """Whether the backbone has a setting for the length of its window: that of AST is fixed."""
    return "normalized" not in pipeline.preprocessing


def _low_rates(checked: Checked, pipeline: Pipeline) -> Iterator[str]:
    rate = pipeline.rate
    low = [(form.rate, name) for name, _, form in checked if form.rate < rate]
    if low:
        lowest, name = min(low)
        yield (
            f"{_of(low, checked)} {_have(low)} a lower sampling rate than the backbone's {rate:,} Hz, such as {name}: "
            f"nothing in it is above {lowest // 2:,} Hz"
            + (f"; if all sounds are so, set the backbone's rate: {lowest}" if _has_rate(pipeline) else "")
        )


def _low_rates_of_a_class(rates: list[int], labels: list[str], pipeline: Pipeline) -> Iterator[str]:
    """Yield classes that a network can tell by the high frequencies that their files do not have."""
    low = Counter(label for label, rate in zip(labels, rates, strict=False) if rate < pipeline.rate)
    for label, count in low.items():
        of_class, elsewhere = labels.count(label), low.total() - count
        others = len(labels) - of_class
        if min(of_class, others) < FEWEST_OF_CLASS:
            continue
        if count >= MOSTLY * of_class and elsewhere <= (1 - MOSTLY) * others:
            lowest = min(rate for name, rate in zip(labels, rates, strict=True) if name == label)
            yield (
                f"{count} of {of_class} checked sounds of class '{label}' have a lower sampling rate than the "
                f"backbone's, and {elsewhere} of {others} of the other classes: the network can tell the class by the "
                "high frequencies that are missing"
                + (f"; set the backbone's rate: {lowest}" if _has_rate(pipeline) else "")
            )


def _too_high(checked: Checked, pipeline: Pipeline) -> Iterator[str]:
    """Yield that the sampling rate of the network leaves out most of the energy, as of bats."""
    limit = pipeline.rate // 2
    lost = [name for name, clip, form in checked if form.rate > pipeline.rate and _center(clip) > limit]
    if len(lost) > len(checked) / 2:
        yield (
            f"{_of(lost, checked)} {_have(lost)} more than half of their energy above {limit:,} Hz, such as {lost[0]}, "
            f"which the network does not hear at its {pipeline.rate:,} Hz; a backbone that can: "
            f"{{spectrogram: {{rate: {min(form.rate for *_, form in checked)}, network: resnet18}}}}"
        )


def _center(clip: Clip) -> float:
    try:
        return center_of(clip, HEARD)
    except FtaugError:
        return 0.0


def _short(checked: Checked, pipeline: Pipeline) -> Iterator[str]:
    seconds = pipeline.samples / pipeline.rate
    lengths = [_seconds(clip, pipeline.rate) for _, clip, _ in checked]
    short = [length for length in lengths if length is not None and length < seconds / 2]
    if len(short) > len(checked) / 2:
        yield (
            f"{_of(short, checked)} have less than half of the {seconds:g} s that the network sees, such as "
            f"{float(np.median(short)):.2g} s: they are padded"
            + ("; a lower `seconds` of the backbone is quicker" if _has_seconds(pipeline) else "")
        )


def _seconds(clip: Clip, rate: int) -> float | None:
    try:
        return length(clip, rate) / rate
    except FtaugError:
        return None


def _canceled(checked: Checked) -> Iterator[str]:
    canceled = [name for name, clip, form in checked if form.channels > 1 and is_canceled(clip)]
    if canceled:
        yield (
            f"{_of(canceled, checked)} {_have(canceled)} channels that are opposite, such as {canceled[0]}: their mean "
            "is silent; set channels: first"
        )


def _of(some: list[object] | list[str] | list[float] | list[tuple[int, str]], checked: Checked) -> str:
    return f"{len(some)} of {len(checked)} sounds that were checked"


def _have(some: list[str] | list[tuple[int, str]]) -> str:
    return "has" if len(some) == 1 else "have"
