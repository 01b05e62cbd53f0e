"""What the model's own tokenizer and weights know of words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.errors import BadData, MissingInput, missing_extra
from ftaug.text.segmentation import Span, pattern, whole_characters
from ftaug.weights import download_error

NEIGHBOURS = 8
EMBEDDINGS = ("word_embeddings.weight", "tok_embeddings.weight", "embed_tokens.weight", "shared.weight")
"""How the embedding matrix is called, by the libraries' models."""

WORD = r"[\p{L}\p{M}]+(?:['’\-][\p{L}\p{M}]+)*"
MARKS = ("Ġ", "▁")
"""What begins the tokens that begin a word, in vocabularies that mark them; in the others, pieces are marked."""


def weights_file(path: str) -> str:
    """The safetensors file in a folder, or of a model on the hub; raises MissingInput."""
    if Path(path).is_absolute():
        file = Path(path, "model.safetensors")
        if not file.is_file():
            raise MissingInput(
                f"{path} holds no model.safetensors, and other files, which may run code, are not read: "
                "load it with transformers and write it with save_pretrained"
            )
        return str(file)
    from transformers.utils.hub import cached_file

    try:
        return str(cached_file(path, "model.safetensors"))
    except OSError as error:
        raise MissingInput(download_error(f"model.safetensors of {path}", error)) from None


def has_weights(path: str) -> bool:
    """Whether the safetensors file lies in the folder, or was downloaded from the hub before."""
    if Path(path).is_absolute():
        return Path(path, "model.safetensors").is_file()
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(path, "model.safetensors"), str)


@dataclass(frozen=True)
class Lexicon:
    """The words of a tokenizer that are one token, with their vectors in the model's weights."""

    tokenizer: str  # as JSON
    path: str  # a folder with model.safetensors, or the name of a model on the hub
    mask: str = "[MASK]"  # the token that stands for one that is not shown; empty where there is none

    @cached_property
    def _words(self) -> Mapping[str, int]:
        """Whole words by their tokens' ids; pieces of words and marks are none."""
        model = json.loads(self.tokenizer)["model"]
        vocabulary = model["vocab"]
        pairs = vocabulary.items() if isinstance(vocabulary, dict) else ((w, i) for i, (w, _) in enumerate(vocabulary))
        all_pairs = list(pairs)
        marked = [(w[1:], i) for w, i in all_pairs if w.startswith(MARKS)]
        bytes_of = _bytes_by_character() if any(w.startswith("Ġ") for w, _ in all_pairs) else None
        whole = marked if len(marked) > 10 else all_pairs
        spelt = [(_decoded(w, bytes_of) if bytes_of else w, i) for w, i in whole]
        is_word = pattern(WORD).fullmatch
        return {word: code for word, code in spelt if word and is_word(word)}

    @cached_property
    def whole_words(self) -> tuple[np.ndarray, list[str]]:
        """The ids of whole words, ascending, and how each is written."""
        spelt = {code: word for word, code in self._words.items()}
        codes = sorted(spelt)
        return np.array(codes, np.int64), [spelt[code] for code in codes]

    @cached_property
    def _vectors(self) -> np.ndarray:
        """The vectors of whole words, of length 1."""
        import torch
        from safetensors import SafetensorError, safe_open

        file_name = weights_file(self.path)
        try:
            with safe_open(file_name, framework="pt") as file:
                keys = [key for key in file.keys() if key.endswith(EMBEDDINGS)]  # noqa: SIM118
                if not keys:
                    raise BadData(f"{file_name} holds no embedding matrix of a known name; leave out neighbours")
                matrix = file.get_tensor(keys[0])
        except SafetensorError as error:
            raise BadData(f"{file_name} is not a whole safetensors file: {error}") from None
        codes = self.whole_words[0]
        if len(codes) and len(matrix) <= codes[-1]:
            raise BadData(f"{file_name}: {keys[0]} has {len(matrix)} rows, too few for the tokenizer's words")
        vectors: np.ndarray = matrix[torch.from_numpy(codes)].float().numpy()
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        return vectors

    def open(self) -> None:
        """Read the weights; raises MissingInput, BadData."""
        self._vectors  # noqa: B018

    def knows(self, word: str) -> bool:
        """Whether a word is one token, as it is or in lower case."""
        return word in self._words or word.lower() in self._words

    def neighbours(self, word: str, count: int = NEIGHBOURS) -> list[str]:
        """The nearest other words by the angle between vectors, nearest first; none of a word it does not know."""
        found = self._neighbours.get((word, count))
        if found is None:
            found = self._neighbours[word, count] = self._nearest(word, count)
        return found

    @cached_property
    def _neighbours(self) -> dict[tuple[str, int], list[str]]:
        return {}

    def _nearest(self, word: str, count: int) -> list[str]:
        code = self._words.get(word, self._words.get(word.lower()))
        if code is None:
            return []
        codes, spelt = self.whole_words
        closeness = self._vectors @ self._vectors[int(np.searchsorted(codes, code))]
        near = np.argpartition(-closeness, min(4 * count, len(codes) - 1))[: 4 * count + 1]
        near = near[np.lexsort((near, -closeness[near]))]
        others = [spelt[i] for i in near.tolist() if spelt[i].lower() != word.lower()]
        return others[:count]

    @cached_property
    def _splitter(self) -> Any:
        """The tokenizer, cutting nothing."""
        try:
            from tokenizers import Tokenizer
        except ImportError:
            raise missing_extra("modality 'text'", "tokenizers", "text") from None
        splitter = Tokenizer.from_str(self.tokenizer)
        splitter.no_truncation()
        splitter.no_padding()
        return splitter

    def encoding(self, text: str) -> Any:
        """A text as the tokenizer has it: `ids` and `offsets`."""
        return self._splitter.encode(text)

    def tokens(self, text: str) -> list[Span]:
        """The tokens of a text as spans of whole characters, without marks, in order; those that share one are one."""
        offsets = self.encoding(text).offsets
        return whole_characters(text, (Span(end - len(text[start:end].lstrip()), end) for start, end in offsets))

    @cached_property
    def mask_code(self) -> int:
        """The id of the mask token."""
        return int(self._splitter.token_to_id(self.mask))

    @cached_property
    def lower_cases(self) -> bool:
        """Whether the tokenizer puts all in lower case."""
        return bool(self.encoding("A B").ids == self.encoding("a b").ids)

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("tokenizer", "path", "mask")}


@lru_cache(maxsize=2)
def lexicon(tokenizer: str, path: str, mask: str) -> Lexicon:
    """The lexicon of a model in this process; what it has read is shared by the processes that are forked from it."""
    return Lexicon(tokenizer, path, mask)


@lru_cache(maxsize=1)
def _bytes_by_character() -> Mapping[str, int]:
    """From the characters by which byte-level vocabularies write bytes: printable ones as they are, others from 256."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {**{chr(b): b for b in printable}, **{chr(256 + i): b for i, b in enumerate(others)}}


def _decoded(token: str, bytes_of: Mapping[str, int]) -> str:
    """The text of a token of a byte-level vocabulary; empty where it is no whole characters."""
    try:
        return bytes(bytes_of[character] for character in token).decode()
    except (KeyError, UnicodeDecodeError):
        return ""
