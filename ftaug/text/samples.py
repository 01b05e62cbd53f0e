"""Texts on their way to the model: the functions of `interfaces.Modality`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from ftaug.config.registry import Component
from ftaug.errors import BadData, ExperimentError
from ftaug.interfaces.data import AppliedTransforms, Input, Samples, Streams, Task
from ftaug.interfaces.export import ExportSignature, PipelineTask, Reading
from ftaug.text.augmentations.pipeline import Pipeline
from ftaug.text.export_source import read_by_tokenizers
from ftaug.text.network import IDS, MASK, TYPES, Mixed, Named
from ftaug.text.predict_inputs import Inputs
from ftaug.text.preview import preview as preview
from ftaug.text.synthetic import synthetic as synthetic
from ftaug.text.tokenizer import complete
from ftaug.text.types import Text

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # else it warns of each fork

cache_version = ""
on_device = False
SHOWN = 5
TOKENIZER_FILE = "tokenizer.json"


def inputs(named: Sequence[str], train: Component) -> Iterator[Input]:
    """The texts in lines, tables and files, or named themselves; raises MissingInput, BadData, ExperimentError."""
    return Inputs.like(train.name, train.settings).of(named)


def pipeline(augment: Sequence[Component], preprocessing: Mapping[str, Any]) -> Pipeline:
    """Make the way from a text to the model's tokens; without augmentations, for evaluation."""
    return Pipeline(tuple(augment), dict(preprocessing))


def prepare(raw: Text, pipeline: Pipeline, streams: Streams | None, labels: tuple[str, ...] = ()) -> np.ndarray:
    """Return the tokens as the model takes them, int32 (2, length); raises BadData without the sample's name."""
    return pipeline(raw, streams, labels)


def account(raw: Text, pipeline: Pipeline, streams: Streams | None, labels: tuple[str, ...]) -> AppliedTransforms:
    """Say what is drawn for a text."""
    return pipeline.augmented(raw, streams, labels)[1]


def sizes(samples: Samples, ids: np.ndarray, pipeline: Pipeline) -> np.ndarray:
    """How many tokens each text has, int64 (n,); the model sees no more than it takes."""
    return np.fromiter((_size(samples, int(i), pipeline) for i in ids), np.int64, len(ids))


def _size(samples: Samples, index: int, pipeline: Pipeline) -> int:
    text = samples.read(index)
    try:
        return pipeline.encoder.learn(text)
    except BadData as error:
        raise BadData(f"{samples.name(index)}: {error}") from None


def cautions(samples: Samples, ids: np.ndarray, sizes: np.ndarray, pipeline: Pipeline) -> list[str]:
    """What of the samples the model will not see, and what ops say of them, for a person."""
    texts = (text for i in ids for text in samples.read(int(i)) if text is not None)
    return [*_cut(samples, ids, sizes, pipeline.encoder.max_length), *pipeline.look_ahead(texts)]


def _cut(samples: Samples, ids: np.ndarray, sizes: np.ndarray, longest: int) -> list[str]:
    """Which texts are longer than the model takes."""
    long = np.flatnonzero(sizes > longest)
    if not long.size:
        return []
    named = [samples.name(int(ids[i])) for i in long[:SHOWN]]
    more = f" and {long.size - SHOWN:,} more" if long.size > SHOWN else ""
    are = "is" if long.size == 1 else "are"
    return [
        f"{long.size:,} of {len(ids):,} texts {are} longer than the {longest} tokens of max_length and cut: "
        f"{', '.join(named)}{more}"
    ]


def footprint(raw: Text, pipeline: Pipeline, all_streams: Sequence[Streams | None]) -> int:
    """The bytes that a cache would keep: none, for texts are in memory already."""
    return 0


def relabels(pipeline: Pipeline) -> bool:
    """Whether an augmentation may change a text's class: none does."""
    return False


def hazards(augment: Sequence[Component], task: Task) -> list[str]:
    """What augmentations may do to the labels, for a person."""
    return []


def check_pipeline(pipeline: Pipeline) -> None:
    """Texts of every length can be batched."""


def augmented(
    raw: Text, pipeline: Pipeline, streams: Streams | None, labels: tuple[str, ...]
) -> tuple[Text, AppliedTransforms]:
    """The text after the augmentations, and what they drew."""
    return pipeline.augmented(raw, streams, labels)


def canonical(sample: Text) -> bytes:
    """The length of each text and the text, in UTF-8; raises BadData."""
    try:
        encoded = [text.encode() for text in sample if text is not None]
    except UnicodeEncodeError:
        raise BadData("the text is not UTF-8") from None
    return b"".join(b"%d %s" % (len(text), text) for text in encoded)


def cells(sample: Text) -> dict[str, str]:
    """The column of a text, or those of a pair."""
    return {"text": sample.first} if sample.second is None else {"text": sample.first, "text_2": sample.second}


def encode(sample: Text) -> tuple[bytes, str]:
    """Return the content of a file of text, and its suffix."""
    return sample.first.encode(), ".txt"


def collate(prepared: Sequence[np.ndarray]) -> Tensor:
    """Pack texts, padded to the longest: int64 (N, 3, length), the planes ids, mask and types."""
    packed = np.zeros((len(prepared), 3, max(tokens.shape[1] for tokens in prepared)), np.int64)
    for row, tokens in zip(packed, prepared, strict=True):
        length = tokens.shape[1]
        row[IDS, :length], row[TYPES, :length] = tokens
        row[MASK, :length] = 1
    return torch.from_numpy(packed)


def concatenated(batches: Sequence[Tensor]) -> Tensor:
    """Join batches of packed texts, padded to the longest text of all."""
    longest = max(batch.shape[2] for batch in batches)
    return torch.cat([pad(batch, (0, longest - batch.shape[2])) for batch in batches])


def selected(inputs: Tensor | Mixed, rows: slice | Tensor) -> Tensor | Mixed:
    """Some texts, padded to the longest of them."""
    longest = int(_shown(inputs)[rows].any(dim=0).sum())
    if isinstance(inputs, Mixed):
        return Mixed(inputs.first[rows, :, :longest], inputs.second[rows, :, :longest], inputs.share[rows])
    return inputs[rows, :, :longest]


def sizes_in(inputs: Tensor | Mixed) -> np.ndarray:
    """How many tokens each text has; of two mixed texts, the longer."""
    return np.asarray(_shown(inputs).sum(dim=1).cpu().numpy())


def _shown(inputs: Tensor | Mixed) -> Tensor:
    """Where the model sees a token: bool (batch, length)."""
    if isinstance(inputs, Mixed):
        return _shown(inputs.first) | _shown(inputs.second)
    return inputs[:, MASK] > 0


def normaliser(preprocessing: Mapping[str, Any]) -> nn.Module:
    """Tokens are taken as they are, but for the id that stands where there is none."""
    return Padding(preprocessing["pad"])


def translator(given: Mapping[str, Any], wanted: Mapping[str, Any]) -> nn.Module:
    """The normaliser of another network; raises ExperimentError where its tokens are others."""
    if given["tokenizer"] != wanted["tokenizer"]:
        raise ExperimentError("has another tokenizer: it must be the same for both models")
    if given["max_length"] > wanted["max_length"]:
        raise ExperimentError(
            f"takes {wanted['max_length']} tokens, fewer than the {given['max_length']} of this model; "
            f"set max_length: {wanted['max_length']}"
        )
    return normaliser(wanted)


class Padding(nn.Module):
    """Put the tokenizer's own id where there is no token."""

    def __init__(self, pad: int) -> None:
        super().__init__()
        self.pad = pad

    def forward(self, inputs: Any) -> Any:
        """From packed tokens, or mixed ones, to the same."""
        if isinstance(inputs, Mixed):
            return Mixed(self(inputs.first), self(inputs.second), inputs.share)
        if self.pad == 0:
            return inputs
        ids = inputs[:, IDS].masked_fill(inputs[:, MASK] == 0, self.pad)
        return torch.cat([ids.unsqueeze(1), inputs[:, IDS + 1 :]], dim=1)


def facing(model: nn.Module, preprocessing: Mapping[str, Any]) -> ExportSignature:
    """The model called with the tensors that transformers names."""
    planes = {"input_ids": IDS, "attention_mask": MASK}
    planes |= {"token_type_ids": TYPES} if preprocessing["types"] else {}
    known = {key: value for key, value in preprocessing.items() if key not in ("tokenizer", "lexicon")}

    def inputs(batch: Tensor) -> dict[str, Tensor]:
        return {name: batch[:, plane].contiguous() for name, plane in planes.items()}

    return ExportSignature(
        Named(model, has_types=preprocessing["types"]),
        inputs,
        {name: {0: "batch", 1: "length"} for name in planes},
        {"length": preprocessing["max_length"]},
        {**known, "tokenizer": TOKENIZER_FILE},
        {TOKENIZER_FILE: complete(preprocessing["tokenizer"], preprocessing["max_length"], preprocessing["pad"])},
        PipelineTask(
            "text-classification",
            "AutoModelForSequenceClassification",
            (),
            ("truncation=True",),
            lambda folder: lambda batch: inputs(batch.inputs),
        ),
    )


def reading(preprocessing: Mapping[str, Any], train: Component) -> Reading:
    """Texts by the library tokenizers: a text a line, or a file, as in training."""
    trained_on = Inputs.like(train.name, train.settings)
    return read_by_tokenizers(preprocessing["types"], len(trained_on.columns) > 1, trained_on.whole_files)


def described(preprocessing: Mapping[str, Any]) -> str:
    """How a text becomes the model's input, in a line."""
    return f"up to {preprocessing['max_length']} tokens"
