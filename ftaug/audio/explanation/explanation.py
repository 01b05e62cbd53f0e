"""Audio implementation of `ftaug explain`: the window in the middle of a sound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from ftaug.attribution import sheet
from ftaug.attribution.imputation import impute
from ftaug.attribution.maps import at_input, extreme
from ftaug.attribution.overlay import overlay
from ftaug.audio.augmentations.pipeline import window_starts
from ftaug.audio.clip import Clip
from ftaug.audio.explainers.plane import plane_of
from ftaug.audio.explanation.axes import plot_size, with_axes
from ftaug.audio.io.resample import length, window
from ftaug.audio.packed import pack
from ftaug.audio.picture import band_centers, spectrograms
from ftaug.interfaces.explanation import Attribution, Explanation

if TYPE_CHECKING:
    from torch import Tensor

suffixes = (".png", ".html", ".json")
default_output = Path("explanation.png")
on_normalized = True
NOISE = 0.01
"""Standard deviation of the noise in what is removed, as a share of the range of values."""


def remove(
    sample: Tensor, attribution: Attribution, share: float, most: bool, preprocessing: Mapping[str, Any]
) -> Tensor:
    """Return a sample without a share of its plane: those of the highest or of the lowest values.

    Spectrograms are imputed, waveforms are silent there.
    """
    import torch

    plane = plane_of(sample)
    values = plane.values[0, 0].cpu().numpy()  # all channels see the same
    removed = extreme(attribution, values.shape[0], values.shape[1], share, most)
    rest = np.where(removed, 0, values) if len(values) == 1 else _imputed(values, removed)
    return plane.as_input(torch.from_numpy(rest).to(plane.values).expand_as(plane.values))


def _imputed(values: np.ndarray, removed: np.ndarray) -> np.ndarray:
    stacked = np.repeat(values[..., None], 3, axis=2)
    return impute(stacked, removed, NOISE * float(np.ptp(values)), np.random.default_rng(0))[..., 0]


def locate(raw: Clip, attribution: Attribution, preprocessing: Mapping[str, Any]) -> dict[str, Any]:
    """Return the map, from low to high bands, with the seconds and the edges of its rows in Hz that it covers."""
    centers = band_centers(preprocessing)
    edges = np.interp(np.linspace(0, len(centers), len(attribution.values) + 1), np.arange(len(centers)) + 0.5, centers)
    return {
        "seconds": [round(second, 4) for second in _seconds(raw, preprocessing)],
        "hertz": [round(edge) for edge in edges.tolist()],
        "map": [[float(f"{value:.5g}") for value in row] for row in attribution.values.tolist()],
    }


def _seconds(raw: Clip, preprocessing: Mapping[str, Any]) -> tuple[float, float]:
    """Return where the window in the middle of a sound starts and ends in its file."""
    start = raw.start + _first(raw, preprocessing) / preprocessing["rate"]
    return start, start + preprocessing["samples"] / preprocessing["rate"]


def _first(raw: Clip, preprocessing: Mapping[str, Any]) -> int:
    rest = length(raw, preprocessing["rate"]) - preprocessing["samples"]
    return window_starts(max(0, rest), 1)[0]


def render(explanations: Sequence[Explanation], title: str, preprocessing: Mapping[str, Any], suffix: str) -> bytes:
    """Return the content of a PNG sheet, or of an HTML page."""
    return sheet.render(explanations, lambda each, side: pictures(each, preprocessing, side), title, suffix)


def pictures(explanation: Explanation, preprocessing: Mapping[str, Any], side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the spectrogram of a sound, and the same under its map, uint8 (H, W, 3) with axes, of this width."""
    raw, (height, width) = explanation.raw, plot_size(side)
    part = window(raw, preprocessing["rate"], _first(raw, preprocessing), preprocessing["samples"])
    (spectrogram,) = spectrograms(pack(*part)[None], preprocessing)
    plot = cv2.resize(spectrogram, (width, height), interpolation=cv2.INTER_AREA)
    values = at_input(explanation.attribution, height, width)[::-1].copy()
    places = (np.arange(width) + 0.5) / width * len(part.wave)
    values[:, (places < part.begin) | (places >= part.end)] = np.nan  # padding
    seconds, centers = _seconds(raw, preprocessing), band_centers(preprocessing)
    return with_axes(plot, seconds, centers), with_axes(overlay(plot, values), seconds, centers)


def screen(explanations: Sequence[Explanation], preprocessing: Mapping[str, Any]) -> None:
    """Return None: maps can only be seen in a file."""
