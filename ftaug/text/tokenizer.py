"""Texts as tokens: int32 (2, length), the ids above and below them to which of the two texts of a pair each belongs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ftaug.errors import BadData, missing_extra
from ftaug.text.types import Text

REMEMBERED = 1 << 24
"""Tokens that are kept, so that a text that nothing changes is split once a run."""


class Encoder:
    """A tokenizer, and the texts that it has met."""

    def __init__(self, tokenizer: str, max_length: int) -> None:
        try:
            from tokenizers import Tokenizer
        except ImportError:
            raise missing_extra("modality 'text'", "tokenizers", "text") from None
        self.tokenizer: Any = Tokenizer.from_str(tokenizer)
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        self.max_length = max_length
        self.known: dict[Text, np.ndarray] = {}
        self.whole: dict[Text, int] = {}
        self.room = REMEMBERED

    def __call__(self, text: Text) -> np.ndarray:
        """The tokens of a text, cut to the length that the model takes; raises BadData."""
        found = self.known.get(text)
        return self._encoded(text) if found is None else found

    def learn(self, text: Text) -> int:
        """Remember the tokens of a text; returns how many there are before it is cut. Raises BadData."""
        if text not in self.whole:
            if self.tokenizer.truncation:
                self.tokenizer.no_truncation()
            tokens = self._split(text)
            self.whole[text] = tokens.shape[1]
            if tokens.shape[1] > self.max_length:
                tokens = self._encoded(text)
            if self.room >= tokens.size:
                self.known[text] = tokens
                self.room -= tokens.size
        return self.whole[text]

    def _encoded(self, text: Text) -> np.ndarray:
        if not self.tokenizer.truncation:
            self.tokenizer.enable_truncation(self.max_length)
        return self._split(text)

    def _split(self, text: Text) -> np.ndarray:
        try:
            found = self.tokenizer.encode(*_parts(text))
        except (UnicodeEncodeError, TypeError):  # which it raises of half a pair of surrogates
            raise BadData("the text is not UTF-8") from None
        if not found.ids:
            raise BadData("the text is empty, and the tokenizer marks neither its beginning nor its end")
        return np.array([found.ids, found.type_ids], np.int32)


def _parts(text: Text) -> Sequence[str]:
    return (text.first,) if text.second is None else (text.first, text.second)


def complete(tokenizer: str, max_length: int, pad: int) -> str:
    """The tokenizer as JSON, cutting and padding texts as the model takes them."""
    from tokenizers import Tokenizer

    made: Any = Tokenizer.from_str(tokenizer)
    made.enable_truncation(max_length)
    made.enable_padding(pad_id=pad, pad_token=made.id_to_token(pad))
    return str(made.to_str())


@lru_cache(maxsize=4)
def encoder(tokenizer: str, max_length: int) -> Encoder:
    """The encoder of a tokenizer in this process."""
    return Encoder(tokenizer, max_length)
