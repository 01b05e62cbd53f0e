"""The audio pipeline: draw augmentations, read the part of a sound that is used, and apply them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

import numpy as np

from ftaug.audio.augmentations.transforms import Draw, Filter, MelMask, Sound, TimeChange, WaveFunction
from ftaug.audio.clip import Clip
from ftaug.audio.io.resample import Window, length, resampled_length, window
from ftaug.audio.io.sound_file import format_of, is_silent, span_in
from ftaug.audio.packed import Box, pack
from ftaug.augment.random_streams import named
from ftaug.augment.transform import each
from ftaug.config.registry import Component
from ftaug.errors import BadData
from ftaug.interfaces.data import AppliedTransforms, Streams

PLACE = "window"
"""Random stream of the place of the window in a sound that is longer."""


@dataclass(frozen=True)
class Pipeline:
    """Turn a sound into rows of a batch: a random, augmented window in training, all windows in evaluation."""

    augment: tuple[Component, ...]
    preprocessing: Mapping[str, Any]

    @cached_property
    def named(self) -> tuple[tuple[str, Component], ...]:
        """The augmentations with the names of their random streams."""
        return tuple(named(self.augment))

    @property
    def rate(self) -> int:
        """Sampling rate of the model in Hz."""
        return int(self.preprocessing["rate"])

    @property
    def samples(self) -> int:
        """Length of the window in samples."""
        return int(self.preprocessing["samples"])

    def packed(
        self, clip: Clip, streams: Streams | None, labels: tuple[str, ...] = ()
    ) -> tuple[np.ndarray, AppliedTransforms]:
        """Return packed sounds, float32 (windows, HEADER + samples), and what was applied; one window with streams.

        Raises BadData, MissingInput.
        """
        if streams is None:
            return np.stack([pack(*part) for part in self.windows(clip)]), AppliedTransforms({}, labels)
        part, boxes, applied = self.drawn(clip, streams, labels)
        return pack(*part, boxes)[None], applied

    def windows(self, clip: Clip, changes: Sequence[TimeChange] = ()) -> list[Window]:
        """Read the windows of evaluation, evenly spread over a sound; those of a short sound are equal.

        Without `views` in the preprocessing it is the middle one alone.
        """
        count = int(self.preprocessing["windows"]) if "views" in self.preprocessing else 1
        speed, delay = self._time(changes)
        rest = max(0, length(clip, self.rate, speed) - self.samples)
        starts = window_starts(rest, count)
        read = {first: self._read(clip, first - delay, speed) for first in dict.fromkeys(starts)}
        return [read[first] for first in starts]

    def drawn(
        self, clip: Clip, streams: Streams, labels: tuple[str, ...] = ()
    ) -> tuple[Window, Sequence[Box], AppliedTransforms]:
        """Read and augment a random window; return it with the masks of its spectrogram and what was applied."""
        form = format_of(clip)
        count = span_in(form, clip)[1]
        draws, applied = self.draw(resampled_length(form.rate, count, self.rate) / self.rate, streams, labels)
        speed, delay = self._time(time_changes(draws))
        rest = resampled_length(form.rate, count, self.rate, speed) - self.samples
        place = streams(PLACE).random()
        part = self._read(clip, (int(place * (rest + 1)) if rest > 0 else 0) - delay, speed)
        return changed(part, draws, self.rate), masks(draws, part), applied

    def draw(
        self, seconds: float, streams: Streams | None, labels: tuple[str, ...] = ()
    ) -> tuple[list[Draw], AppliedTransforms]:
        """Draw the transforms of a sound of this length; return them and what is to be applied."""
        view = Sound(self.rate, self.samples, seconds, labels)
        draws: list[Draw] = []
        values: dict[str, Mapping[str, float | str]] = {}
        for name, drawn, after in self.fired(view, streams):
            values[name] = {key: value for draw in drawn for key, value in draw.values.items()}
            draws += drawn
            view = after
        return draws, AppliedTransforms(values, view.labels)

    def fired(self, view: Sound, streams: Streams | None) -> Iterator[tuple[str, Sequence[Draw], Sound]]:
        """Yield for each op that fires its stream name, its transforms, and the view after them."""
        if streams is None:
            return
        for name, op in self.named:
            if draws := each(op(view, streams(name))):
                for draw in draws:
                    view = draw.output_view(view)
                yield name, draws, view

    def _time(self, changes: Sequence[TimeChange]) -> tuple[float, int]:
        """Return the speed and the delay in samples of all changes."""
        speed = math.prod(change.speed for change in changes)
        return speed, round(self.rate * sum(change.delay for change in changes))

    def _read(self, clip: Clip, first: int, speed: float) -> Window:
        part = window(clip, self.rate, first, self.samples, speed)
        if clip.silent != "keep" and part.end > part.begin and not part.wave.any() and is_silent(clip):
            raise BadData("is silent: all its samples are zero; delete it, or set silent: skip or keep of the dataset")
        return part


def window_starts(rest: int, count: int) -> list[int]:
    """Return the first samples of windows that are evenly spread over a sound, `rest` samples longer than a window."""
    last = count - 1
    return [(2 * rest * place + last) // (2 * last) for place in range(count)] if last else [rest // 2]


def time_changes(draws: Iterable[Draw]) -> list[TimeChange]:
    """Return the changes of time among transforms."""
    return [draw for draw in draws if isinstance(draw, TimeChange)]


def masks(draws: Iterable[Draw], part: Window) -> list[Box]:
    """Return the masks of the spectrogram of a window."""
    boxes = (box for draw in draws if isinstance(draw, MelMask) for box in draw.boxes)
    return [box.later(part.begin) for box in boxes]


def changed(part: Window, draws: Iterable[Draw], rate: int) -> Window:
    """Apply filters and functions to the part of a window that is not padding."""
    sound = part.wave[part.begin : part.end]
    for step in fused(draws):
        if len(sound):
            sound = filtered(sound, step, rate) if isinstance(step, Filter) else step.apply(sound)
    wave = part.wave.copy()
    wave[part.begin : part.end] = sound
    return part._replace(wave=wave)


def fused(draws: Iterable[Draw]) -> list[Filter | WaveFunction]:
    """Return the filters and functions of a list, filters that follow one another as one."""
    runs: list[list[Filter] | WaveFunction] = []
    for draw in draws:
        if isinstance(draw, WaveFunction):
            runs.append(draw)
        elif isinstance(draw, Filter):
            if not runs or isinstance(runs[-1], WaveFunction):
                runs.append([])
            runs[-1].append(draw)  # type: ignore[union-attr]
    return [run if isinstance(run, WaveFunction) else reduce(Filter.then, run) for run in runs]


def filtered(wave: np.ndarray, step: Filter, rate: int) -> np.ndarray:
    """Filter a waveform, float32 (samples,), padded to twice its length, so that echoes do not come round."""
    if step.flat is not None:
        return wave * np.float32(step.flat)
    size = 1 << (2 * len(wave) - 1).bit_length()
    spectrum = np.fft.rfft(wave, size)
    result = np.fft.irfft(spectrum * step.response(np.fft.rfftfreq(size, 1 / rate)), size)
    return np.asarray(result[: len(wave)], np.float32)
