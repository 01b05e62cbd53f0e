"""The text pipeline: draw and apply augmentations, then tokenize."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ftaug.augment.random_streams import named
from ftaug.augment.transform import Transform, after, each
from ftaug.config.registry import Component, nested
from ftaug.interfaces.data import AppliedTransforms, Streams
from ftaug.text.augmentations.protecting import negations_in
from ftaug.text.edits import Passage
from ftaug.text.lexicon import Lexicon, lexicon
from ftaug.text.tokenizer import Encoder, encoder
from ftaug.text.types import Text

SECOND = "second of the pair: "
"""Prefix of the random stream names of a pair's second text."""


@dataclass(frozen=True)
class Pipeline:
    """Transform a raw text into tokens: augmentations in order, then the model's tokenizer."""

    augment: tuple[Component, ...]
    preprocessing: Mapping[str, Any]

    @cached_property
    def named(self) -> tuple[tuple[str, Component], ...]:
        """The augmentations with their random stream names."""
        return tuple(named(self.augment))

    @property
    def encoder(self) -> Encoder:
        """The model's tokenizer, one per process."""
        return encoder(self.preprocessing["tokenizer"], self.preprocessing["max_length"])

    @cached_property
    def lexicon(self) -> Lexicon:
        """Vocabulary and embeddings of the model."""
        return lexicon(self.preprocessing["tokenizer"], **self.preprocessing["lexicon"])

    def __call__(self, text: Text, streams: Streams | None, labels: tuple[str, ...] = ()) -> np.ndarray:
        """Augment and tokenize: int32 (2, length); without streams, no augmentation. Raises BadData."""
        return self.encoder(self.augmented(text, streams, labels)[0])

    def augmented(
        self, text: Text, streams: Streams | None, labels: tuple[str, ...] = ()
    ) -> tuple[Text, AppliedTransforms]:
        """Return the augmented text and the values drawn."""
        values: dict[str, Mapping[str, float | str]] = {}
        parts = [
            self._augment_part(part, streams, labels, prefix, values)
            for part, prefix in ((text.first, ""), (text.second, SECOND))
            if part is not None
        ]
        return Text(*parts), AppliedTransforms(values, labels)

    def _augment_part(
        self,
        part: str,
        streams: Streams | None,
        labels: tuple[str, ...],
        prefix: str,
        values: dict[str, Mapping[str, float | str]],
    ) -> str:
        for name, seen, draws in self.steps(part, streams, labels, prefix):
            values[prefix + name] = {key: value for draw in draws for key, value in draw.values.items()}
            part = seen.text
        return part

    def steps(
        self, text: str, streams: Streams | None, labels: tuple[str, ...], prefix: str = ""
    ) -> Iterator[tuple[str, Passage, list[Transform]]]:
        """Yield each op that changes or protects the text: stream name, passage after it, transforms drawn."""
        if streams is None or not self.augment:
            return
        seen = Passage(text, labels, negations_in(text), self.lexicon)
        for name, op in self.named:
            draws = list(each(op(seen, streams(prefix + name))))
            if draws:
                seen = after(seen, draws)
                yield name, seen, draws

    def look_ahead(self, texts: Iterable[str]) -> list[str]:
        """Run each op's check of the training texts before training starts; return human-readable notes.

        Raises errors that prevent an op from working. Data loaded here are shared with workers forked later.
        """
        checks = [(op.fact("ahead"), op.settings) for _, op in nested(self.augment) if op.fact("ahead") is not None]
        all_texts = list(texts) if checks else []
        return [note for check, settings in checks for note in check(settings, self.lexicon, all_texts)]
