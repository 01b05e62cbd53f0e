"""Draw what happens to a text, do it, and split the result into tokens."""

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
"""Before the names of the streams of a pair's second text."""


@dataclass(frozen=True)
class Pipeline:
    """The way of a text to the model: augmentations in order, then the model's tokens."""

    augment: tuple[Component, ...]
    preprocessing: Mapping[str, Any]

    @cached_property
    def named(self) -> tuple[tuple[str, Component], ...]:
        """The augmentations with the names of their streams."""
        return tuple(named(self.augment))

    @property
    def encoder(self) -> Encoder:
        """The model's tokenizer, as this process has it."""
        return encoder(self.preprocessing["tokenizer"], self.preprocessing["max_length"])

    @cached_property
    def lexicon(self) -> Lexicon:
        """What the model knows of words."""
        return lexicon(self.preprocessing["tokenizer"], **self.preprocessing["lexicon"])

    def __call__(self, text: Text, streams: Streams | None, labels: tuple[str, ...] = ()) -> np.ndarray:
        """Return the tokens, int32 (2, length); without streams nothing is drawn. Raises BadData."""
        return self.encoder(self.augmented(text, streams, labels)[0])

    def augmented(
        self, text: Text, streams: Streams | None, labels: tuple[str, ...] = ()
    ) -> tuple[Text, AppliedTransforms]:
        """The text after the augmentations, and what they drew."""
        values: dict[str, Mapping[str, float | str]] = {}
        parts = [
            self._of_part(part, streams, labels, prefix, values)
            for part, prefix in ((text.first, ""), (text.second, SECOND))
            if part is not None
        ]
        return Text(*parts), AppliedTransforms(values, labels)

    def _of_part(
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
        """The ops that do something to a text: the name of each, the passage after it, and what it drew."""
        if streams is None or not self.augment:
            return
        seen = Passage(text, labels, negations_in(text), self.lexicon)
        for name, op in self.named:
            draws = list(each(op(seen, streams(prefix + name))))
            if draws:
                seen = after(seen, draws)
                yield name, seen, draws

    def look_ahead(self, texts: Iterable[str]) -> list[str]:
        """Have each op look at the training texts before the first is augmented: what a person should know.

        Raises what keeps an op from doing what it is set to. What is read here is shared by the workers forked later.
        """
        looks = [(op.fact("ahead"), op.settings) for _, op in nested(self.augment) if op.fact("ahead") is not None]
        listed = list(texts) if looks else []
        return [sentence for look, settings in looks for sentence in look(settings, self.lexicon, listed)]
