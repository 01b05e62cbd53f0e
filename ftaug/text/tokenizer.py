"""Tokenize texts: int32 (2, length), token ids and token types (which text of a pair)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ftaug.errors import BadData, missing_extra
from ftaug.text.types import Text

REMEMBERED = 1 << 24
"""Capacity of the cache in tokens: a text that no augmentation changes is tokenized once a run."""


class Encoder:
    """A tokenizer with a cache of tokenized texts."""

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
        """Tokenize a text, truncated to `max_length`; raises BadData."""
        tokens = self.known.get(text)
        return self._encoded(text) if tokens is None else tokens

    def learn(self, text: Text) -> int:
        """Cache the tokens of a text; return their number before truncation. Raises BadData."""
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

    def encoding(self, text: Text) -> Any:
        """Tokenize a text, truncated to `max_length`, with the places of its tokens: an Encoding of tokenizers."""
        if not self.tokenizer.truncation:
            self.tokenizer.enable_truncation(self.max_length)
        return self.tokenizer.encode(*_parts(text))

    def _split(self, text: Text) -> np.ndarray:
        try:
            encoding = self.tokenizer.encode(*_parts(text))
        except (UnicodeEncodeError, TypeError):  # raised for a lone surrogate
            raise BadData("the text is not UTF-8") from None
        if not encoding.ids:
            raise BadData("the text is empty, and the tokenizer marks neither its beginning nor its end")
        return np.array([encoding.ids, encoding.type_ids], np.int32)


def _parts(text: Text) -> Sequence[str]:
    return (text.first,) if text.second is None else (text.first, text.second)


def complete(tokenizer: str, max_length: int, pad: int) -> str:
    """Serialize the tokenizer as JSON with truncation and padding enabled."""
    from tokenizers import Tokenizer

    serialized: Any = Tokenizer.from_str(tokenizer)
    serialized.enable_truncation(max_length)
    serialized.enable_padding(pad_id=pad, pad_token=serialized.id_to_token(pad))
    return str(serialized.to_str())


@lru_cache(maxsize=4)
def encoder(tokenizer: str, max_length: int) -> Encoder:
    """Return the encoder of a tokenizer, one per process."""
    return Encoder(tokenizer, max_length)
