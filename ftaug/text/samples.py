"""Text preprocessing and collation: the functions of `interfaces.Modality`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from ftaug.config.registry import Component
from ftaug.errors import BadData, ExperimentError
from ftaug.interfaces.data import AppliedTransforms, Input, Samples, Shrink, Streams, Task
from ftaug.interfaces.export import ExportSignature, PipelineTask, Reading
from ftaug.text.augmentations.pipeline import Pipeline
from ftaug.text.corruptions import corruptions as corruptions
from ftaug.text.explanation import explanation as explanation
from ftaug.text.export_source import read_by_tokenizers
from ftaug.text.network import IDS, MASK, TYPES, Mixed, Named
from ftaug.text.predict_inputs import Inputs
from ftaug.text.preview import preview as preview
from ftaug.text.report_items import explained_item as explained_item
from ftaug.text.report_items import report_item as report_item
from ftaug.text.synthetic import synthetic as synthetic
from ftaug.text.text_facts import text_facts
from ftaug.text.tokenizer import complete
from ftaug.text.types import Text

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # avoids a warning at each fork

cache_version = ""
on_device = False
SHOWN = 5
TOKENIZER_FILE = "tokenizer.json"


def inputs(named: Sequence[str], train: Component) -> Iterator[Input]:
    """Yield texts to predict from lines, tables, files or arguments; raises MissingInput, BadData, ExperimentError."""
    return Inputs.like(train.name, train.settings).of(named)


def parts(inputs: Iterator[Input], seconds: float) -> Iterator[Input]:
    """Raise ExperimentError: texts have no duration."""
    raise ExperimentError("--every: texts have no seconds; it is for sounds")


def as_raw(value: Any, train: Component) -> Text:
    """Return the text of a string, or of a pair of strings where the model takes pairs; raises BadData."""
    return Inputs.like(train.name, train.settings).as_text(value)


def pipeline(augment: Sequence[Component], preprocessing: Mapping[str, Any]) -> Pipeline:
    """Build the pipeline from a raw text to tokens; without augmentations, the evaluation pipeline."""
    return Pipeline(tuple(augment), dict(preprocessing))


def corrupting_pipeline(augment: Sequence[Component], preprocessing: Mapping[str, Any]) -> Pipeline:
    """Build the pipeline that corrupts texts by augmentations before it tokenizes them."""
    return pipeline(augment, preprocessing)


def prepare(
    raw: Text, pipeline: Pipeline, streams: Streams | None, labels: tuple[str, ...] = ()
) -> tuple[np.ndarray, AppliedTransforms]:
    """Augment and tokenize a text; return int32 (2, length), ids and types, and what was applied. Raises BadData."""
    text, applied = pipeline.augmented(raw, streams, labels)
    return pipeline.encoder(text), applied


def draw(
    raw: Text, pipeline: Pipeline, streams: Streams | None, labels: tuple[str, ...] = ()
) -> tuple[Callable[[], np.ndarray], AppliedTransforms]:
    """Augment and tokenize a text at once, as `prepare` does; return a function that returns it. Raises BadData."""
    prepared, applied = prepare(raw, pipeline, streams, labels)
    return lambda: prepared, applied


def sizes(samples: Samples, ids: np.ndarray, pipeline: Pipeline) -> np.ndarray:
    """Number of tokens of each text before truncation, int64 (n,)."""
    return np.fromiter((_size(samples, int(i), pipeline) for i in ids), np.int64, len(ids))


def _size(samples: Samples, index: int, pipeline: Pipeline) -> int:
    text = samples.read(index)
    try:
        return pipeline.encoder.learn(text)
    except BadData as error:
        raise BadData(f"{samples.name(index)}: {error}") from None


def cautions(samples: Samples, ids: np.ndarray, sizes: np.ndarray, pipeline: Pipeline) -> list[str]:
    """Human-readable cautions: truncated texts, and notes of the augmentations about the training texts."""
    texts = (text for i in ids for text in samples.read(int(i)) if text is not None)
    return [*_truncated(samples, ids, sizes, pipeline.encoder.max_length), *pipeline.look_ahead(texts)]


def _truncated(samples: Samples, ids: np.ndarray, sizes: np.ndarray, longest: int) -> list[str]:
    """Report texts longer than `max_length` tokens."""
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
    """Bytes needed to cache a text: 0, as texts are already in memory."""
    return 0


def relabels(pipeline: Pipeline) -> bool:
    """Whether an augmentation may change the label: never for texts."""
    return False


def label_cautions(augment: Sequence[Component], task: Task) -> list[str]:
    """Cautions about label-changing augmentations: none for texts."""
    return []


def check_pipeline(pipeline: Pipeline) -> None:
    """Accept every pipeline: texts of any length can be padded into a batch."""


def augmented(
    raw: Text, pipeline: Pipeline, streams: Streams | None, labels: tuple[str, ...]
) -> tuple[Text, AppliedTransforms]:
    """Return the augmented text and the augmentations applied."""
    return pipeline.augmented(raw, streams, labels)


def as_seen(raw: Text, pipeline: Pipeline, streams: Streams | None, labels: tuple[str, ...]) -> Text:
    """Return the augmented text."""
    return pipeline.augmented(raw, streams, labels)[0]


def sample_facts(raw: Text) -> dict[str, float | str]:
    """Compute the length and the script of a text."""
    return text_facts(raw)


def canonical(sample: Text) -> bytes:
    """Return a canonical byte representation: length and UTF-8 bytes of each text; raises BadData."""
    try:
        encoded = [text.encode() for text in sample if text is not None]
    except UnicodeEncodeError:
        raise BadData("the text is not UTF-8") from None
    return b"".join(b"%d %s" % (len(text), text) for text in encoded)


def cells(sample: Text) -> dict[str, str]:
    """Return the sample as table cells: `text`, and `text_2` of a pair."""
    return {"text": sample.first} if sample.second is None else {"text": sample.first, "text_2": sample.second}


def encode(sample: Text) -> tuple[bytes, str]:
    """Encode the text as the content of a .txt file."""
    return sample.first.encode(), ".txt"


def packed_file(samples: Samples, index: int, shrink: Shrink | None) -> tuple[bytes, str]:
    """Return the text as the content of a .txt file; raises ExperimentError for pairs, and for `shrink`."""
    text = samples.read(index)
    if shrink is not None:
        raise ExperimentError("--resize: is for images; leave it out")
    if text.second is not None:
        raise ExperimentError("data: pairs of texts cannot be packed; keep them in a table")
    return encode(text)


def collate(prepared: Sequence[np.ndarray]) -> Tensor:
    """Pad tokenized texts to the longest: int64 (N, 3, length); planes: token ids, attention mask, token types."""
    packed = np.zeros((len(prepared), 3, max(tokens.shape[1] for tokens in prepared)), np.int64)
    for row, tokens in zip(packed, prepared, strict=True):
        length = tokens.shape[1]
        row[IDS, :length], row[TYPES, :length] = tokens
        row[MASK, :length] = 1
    return torch.from_numpy(packed)


def concatenated(batches: Sequence[Tensor]) -> Tensor:
    """Concatenate batches, padded to the longest text."""
    longest = max(batch.shape[2] for batch in batches)
    return torch.cat([pad(batch, (0, longest - batch.shape[2])) for batch in batches])


def selected(inputs: Tensor | Mixed, rows: slice | Tensor) -> Tensor | Mixed:
    """Select texts of a batch, cropped to the longest of them."""
    longest = int(_attention_mask(inputs)[rows].any(dim=0).sum())
    if isinstance(inputs, Mixed):
        return Mixed(inputs.first[rows, :, :longest], inputs.second[rows, :, :longest], inputs.share[rows])
    return inputs[rows, :, :longest]


def sizes_in(inputs: Tensor | Mixed) -> np.ndarray:
    """Number of tokens of each text; for mixed texts, that of the longer one."""
    return np.asarray(_attention_mask(inputs).sum(dim=1).cpu().numpy())


def _attention_mask(inputs: Tensor | Mixed) -> Tensor:
    """Attention mask of a batch: bool (batch, length)."""
    if isinstance(inputs, Mixed):
        return _attention_mask(inputs.first) | _attention_mask(inputs.second)
    return inputs[:, MASK] > 0


def normalizer(preprocessing: Mapping[str, Any]) -> nn.Module:
    """Return the module that puts the tokenizer's padding id in padded positions."""
    return Padding(preprocessing["pad"])


def translator(given: Mapping[str, Any], wanted: Mapping[str, Any]) -> nn.Module:
    """Return the `normalizer` of another network; raises ExperimentError if the tokenizers differ."""
    if given["tokenizer"] != wanted["tokenizer"]:
        raise ExperimentError("has another tokenizer: it must be the same for both models")
    if given["max_length"] > wanted["max_length"]:
        raise ExperimentError(
            f"takes {wanted['max_length']} tokens, fewer than the {given['max_length']} of this model; "
            f"set max_length: {wanted['max_length']}"
        )
    return normalizer(wanted)


class Padding(nn.Module):
    """Replace the ids of padded positions by the tokenizer's padding id."""

    def __init__(self, pad: int) -> None:
        super().__init__()
        self.pad = pad

    def forward(self, inputs: Any) -> Any:
        """Return packed tokens, mixed or not, of the same shape."""
        if isinstance(inputs, Mixed):
            return Mixed(self(inputs.first), self(inputs.second), inputs.share)
        if self.pad == 0:
            return inputs
        ids = inputs[:, IDS].masked_fill(inputs[:, MASK] == 0, self.pad)
        return torch.cat([ids.unsqueeze(1), inputs[:, IDS + 1 :]], dim=1)


def export_signature(
    model: nn.Module, preprocessing: Mapping[str, Any], activate: Callable[[nn.Module], nn.Module]
) -> ExportSignature:
    """Return the export signature with the input names of transformers: input_ids, attention_mask, token_type_ids."""
    planes = {"input_ids": IDS, "attention_mask": MASK}
    planes |= {"token_type_ids": TYPES} if preprocessing["types"] else {}
    known = {key: value for key, value in preprocessing.items() if key not in ("tokenizer", "lexicon")}

    def inputs(batch: Tensor) -> dict[str, Tensor]:
        return {name: batch[:, plane].contiguous() for name, plane in planes.items()}

    return ExportSignature(
        Named(activate(model), has_types=preprocessing["types"]),
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
    """Return how an inference script reads texts: one per line or per file, tokenized by the library tokenizers."""
    trained_on = Inputs.like(train.name, train.settings)
    return read_by_tokenizers(preprocessing["types"], len(trained_on.columns) > 1, trained_on.whole_files)


def described(preprocessing: Mapping[str, Any]) -> str:
    """Describe the preprocessing in one line."""
    return f"up to {preprocessing['max_length']} tokens"
