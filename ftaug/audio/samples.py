"""Audio implementation of `interfaces.Modality`: read, augment, pack and normalize sounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ftaug.audio.augmentations.pipeline import Pipeline
from ftaug.audio.augmentations.waves import background_files
from ftaug.audio.checks import cautions as cautions
from ftaug.audio.clip import Clip, Recording, how_read
from ftaug.audio.corruptions import corrupting_pipeline as corrupting_pipeline
from ftaug.audio.corruptions import corruptions as corruptions
from ftaug.audio.explanation import explanation as explanation
from ftaug.audio.export import export_signature as export_signature
from ftaug.audio.export import reading as reading
from ftaug.audio.export import synthetic as synthetic
from ftaug.audio.io.decode_cache import DecodedSounds, decoders
from ftaug.audio.io.resample import resampler
from ftaug.audio.io.sound_file import span
from ftaug.audio.io.wav import encoded
from ftaug.audio.log_mel import LogMel
from ftaug.audio.packed_file import packed_file as packed_file
from ftaug.audio.picture import spectrograms
from ftaug.audio.predict_inputs import inputs as inputs
from ftaug.audio.predict_inputs import parts as parts
from ftaug.audio.preview import preview as preview
from ftaug.audio.report_items import explained_item as explained_item
from ftaug.audio.report_items import report_item as report_item
from ftaug.audio.sound_facts import sound_facts
from ftaug.audio.waveform import Waveform
from ftaug.config.registry import Component, nested
from ftaug.errors import BadData, ExperimentError
from ftaug.interfaces.data import AppliedTransforms, Samples, Streams, Task

cache_version = f"3 {decoders()} {resampler()}"
on_device = False


def as_raw(value: Any, train: Component) -> Clip:
    """Return the sound of a pair of waveform and sampling rate; raises BadData."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise BadData("must be a pair (waveform, sampling rate in Hz)")
    wave, rate = np.asarray(value[0]), value[1]
    if wave.ndim not in (1, 2) or not wave.size or wave.dtype not in (np.int16, np.float32, np.float64):
        form = "int16 or float in -1…1, (samples,) or (samples, channels)"
        raise BadData(f"the waveform must be {form}; got {wave.dtype} {wave.shape}")
    if not isinstance(rate, int | np.integer) or rate < 1:
        raise BadData(f"the sampling rate must be a whole number of Hz; got {rate!r}")
    return Clip(Recording(wave, int(rate)), **how_read(train))


def pipeline(augment: Sequence[Component], preprocessing: Mapping[str, Any]) -> Pipeline:
    """Build the pipeline from a sound to packed windows; without augmentations, the evaluation pipeline.

    Raises ExperimentError for masks of the spectrogram where the network takes waveforms.
    """
    masks = _masks(augment)
    if masks and "waveform" in preprocessing:
        raise ExperimentError(f"augment: {masks} masks spectrograms, and this backbone takes waveforms; leave it out")
    return Pipeline(tuple(augment), dict(preprocessing))


def _masks(augment: Sequence[Component]) -> str:
    """Name the augmentations of spectrograms."""
    return ", ".join(op.name for _, op in nested(augment) if op.fact("stage") == "mel")


def prepare(
    raw: Clip, pipeline: Pipeline, streams: Streams | None, labels: tuple[str, ...] = ()
) -> tuple[np.ndarray, AppliedTransforms]:
    """Read and augment a sound; return float32 (windows, HEADER + samples) and what was applied. Raises BadData."""
    return pipeline.packed(raw, streams, labels)


def draw(
    raw: Clip, pipeline: Pipeline, streams: Streams | None, labels: tuple[str, ...] = ()
) -> tuple[Callable[[], np.ndarray], AppliedTransforms]:
    """Read and augment a sound at once, as `prepare` does; return a function that returns it. Raises BadData."""
    prepared, applied = prepare(raw, pipeline, streams, labels)
    return lambda: prepared, applied


def sizes(samples: Samples, ids: np.ndarray, pipeline: Pipeline) -> None:
    """Return None: all windows are of one length."""
    return


def cached(samples: Samples, folder: Path, must_keep: bool) -> DecodedSounds:
    """Wrap samples in a cache of decoded sounds; a full disk is an error only with `must_keep`."""
    return DecodedSounds(samples, folder, must_keep)


def footprint(raw: Clip, pipeline: Pipeline, all_streams: Sequence[Streams | None]) -> int:
    """Return the bytes that the cache stores of a sound: of one channel in float32; 0 if it is in memory already."""
    return 0 if isinstance(raw.source, Recording) else 4 * span(raw)[1]


def relabels(pipeline: Pipeline) -> bool:
    """Whether an augmentation may change the label: never for sounds."""
    return False


def label_cautions(augment: Sequence[Component], task: Task) -> list[str]:
    """Cautions about label-changing augmentations: none, as class names do not tell of pitch or voice."""
    return []


def check_pipeline(pipeline: Pipeline) -> None:
    """Raise MissingInput for a folder of background sounds that is missing or empty."""
    for _, op in nested(pipeline.augment):
        if op.name == "background":
            background_files(op.settings["path"])


def augmented(
    raw: Clip, pipeline: Pipeline, streams: Streams | None, labels: tuple[str, ...]
) -> tuple[Recording, AppliedTransforms]:
    """Return the augmented part of a sound at the sampling rate of the model, and the augmentations applied.

    Raises BadData, and ExperimentError for masks of the spectrogram, which no waveform has.
    """
    if masks := [place for place, op in enumerate(pipeline.augment) if _masks((op,))]:
        without = " ".join(f"'~augment.{place}'" for place in reversed(masks))
        raise ExperimentError(
            f"augment: {_masks(pipeline.augment)}: spectrograms are not written, and so no masks; add {without}"
        )
    if streams is None:
        part, *_ = pipeline.windows(raw)
        return Recording(part.wave[part.begin : part.end], pipeline.rate), AppliedTransforms({}, labels)
    part, _, applied = pipeline.drawn(raw, streams, labels)
    return Recording(part.wave[part.begin : part.end], pipeline.rate), applied


def as_seen(raw: Clip, pipeline: Pipeline, streams: Streams | None, labels: tuple[str, ...]) -> np.ndarray:
    """Draw the augmented window with its masks as the model sees it: uint8 (height, frames, 3); raises BadData."""
    packed, _ = pipeline.packed(raw, streams, labels)
    return spectrograms(packed[:1], pipeline.preprocessing)[0]


def sample_facts(raw: Clip) -> dict[str, float]:
    """Compute duration, loudness, noise and clipping of a sound; raises BadData."""
    return sound_facts(raw)


def canonical(sample: Recording) -> bytes:
    """Return the sampling rate, dtype, shape and values of a waveform as bytes, for comparison."""
    return f"{sample.rate} {sample.wave.dtype.str} {sample.wave.shape} ".encode() + sample.wave.tobytes()


def cells(sample: Any) -> dict[str, str]:
    """Return no cells: sounds are not stored in tables."""
    return {}


def encode(sample: Recording) -> tuple[bytes, str]:
    """Encode a waveform as WAV of 32-bit floats; return the file content and its suffix."""
    return encoded(sample.wave, sample.rate), ".wav"


def collate(prepared: Sequence[np.ndarray]) -> Tensor:
    """Concatenate the windows of sounds: float32 (windows, HEADER + samples)."""
    return torch.from_numpy(np.concatenate(prepared))


def concatenated(batches: Sequence[Tensor]) -> Tensor:
    """Concatenate batches of windows."""
    return torch.cat(list(batches))


def selected(inputs: Tensor, rows: slice | Tensor) -> Tensor:
    """Select windows of a batch."""
    return inputs[rows]


def sizes_in(inputs: Tensor) -> None:
    """Return None: all windows are of one length."""


def normalizer(preprocessing: Mapping[str, Any]) -> nn.Module:
    """Return the module that computes normalized log-mel spectrograms, or waveforms, on the device."""
    return Waveform(preprocessing) if "waveform" in preprocessing else LogMel(preprocessing)


def translator(given: Mapping[str, Any], wanted: Mapping[str, Any]) -> nn.Module:
    """Return the `normalizer` of another network; raises ExperimentError if it takes other windows."""
    for key, noun in (("rate", "sampling rate of {} Hz"), ("samples", "window of {} samples")):
        if given[key] != wanted[key]:
            raise ExperimentError(f"takes a {noun.format(wanted[key])}, this model {given[key]}; set them alike")
    return normalizer(wanted)


def described(preprocessing: Mapping[str, Any]) -> str:
    """Describe the preprocessing in one line."""
    form, seconds = preprocessing, preprocessing["samples"] / preprocessing["rate"]
    if "waveform" in form:
        seen = "waveform" + ", normalized" * form["waveform"]["normalize"]
    else:
        seen = f"{form['mels']} mels × {form['size'][1]} frames ({form['front_end']})"
    averaged = f"{form['windows']} window{'s' * (form['windows'] > 1)} averaged"
    return f"{form['rate']} Hz, {seconds:g} s, {seen}; in evaluation {averaged}"
