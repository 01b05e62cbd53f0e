"""Vocabulary and word embeddings of the model: whole-word tokens and their nearest neighbors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from ftaug.errors import BadData, missing_extra
from ftaug.hub.model_folder import weights_file
from ftaug.text.segmentation import Span, pattern, whole_characters

NEIGHBORS = 8
EMBEDDINGS = ("word_embeddings.weight", "tok_embeddings.weight", "embed_tokens.weight", "shared.weight")
"""Suffixes of the name of the token embedding matrix in the models of transformers."""

WORD = r"[\p{L}\p{M}]+(?:['’\-][\p{L}\p{M}]+)*"
MARKS = ("Ġ", "▁")
"""Prefixes of word-initial tokens (byte-level BPE, SentencePiece); WordPiece marks continuations instead."""


@dataclass(frozen=True)
class Lexicon:
    """Words that are a single token of the tokenizer, with their embeddings in the model's weights."""

    tokenizer: str  # as JSON
    path: str  # folder with model.safetensors, or name of a model on the Hub
    mask: str = "[MASK]"  # mask token; empty if the tokenizer has none

    @cached_property
    def _words(self) -> Mapping[str, int]:
        """Map each whole word to its token id; subwords and punctuation are excluded."""
        model = json.loads(self.tokenizer)["model"]
        vocabulary = model["vocab"]
        pairs = vocabulary.items() if isinstance(vocabulary, dict) else ((w, i) for i, (w, _) in enumerate(vocabulary))
        all_pairs = list(pairs)
        marked = [(w[1:], i) for w, i in all_pairs if w.startswith(MARKS)]
        bytes_of = _bytes_by_character() if any(w.startswith("Ġ") for w, _ in all_pairs) else None
        whole = marked if len(marked) > 10 else all_pairs
        spellings = [(_decoded(w, bytes_of) if bytes_of else w, i) for w, i in whole]
        is_word = pattern(WORD).fullmatch
        return {word: code for word, code in spellings if word and is_word(word)}

    @cached_property
    def whole_words(self) -> tuple[np.ndarray, list[str]]:
        """Token ids of whole words, ascending, and their spellings."""
        spellings = {code: word for word, code in self._words.items()}
        codes = sorted(spellings)
        return np.array(codes, np.int64), [spellings[code] for code in codes]

    @cached_property
    def _vectors(self) -> np.ndarray:
        """L2-normalized embeddings of whole words, float32 (words, width)."""
        import torch
        from safetensors import SafetensorError, safe_open

        file_name = weights_file(self.path)
        try:
            with safe_open(file_name, framework="pt") as file:
                keys = [key for key in file.keys() if key.endswith(EMBEDDINGS)]  # noqa: SIM118
                if not keys:
                    raise BadData(f"{file_name} holds no embedding matrix of a known name; leave out neighbors")
                matrix = file.get_tensor(keys[0])
        except SafetensorError as error:
            raise BadData(f"{file_name} is not a complete safetensors file: {error}") from None
        codes = self.whole_words[0]
        if len(codes) and len(matrix) <= codes[-1]:
            raise BadData(f"{file_name}: {keys[0]} has {len(matrix)} rows, too few for the tokenizer's words")
        vectors: np.ndarray = matrix[torch.from_numpy(codes)].float().numpy()
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        return vectors

    def open(self) -> None:
        """Load the embeddings; raises MissingInput, BadData."""
        self._vectors  # noqa: B018

    def knows(self, word: str) -> bool:
        """Whether a word is a single token, as it is or in lower case."""
        return word in self._words or word.lower() in self._words

    def neighbors(self, word: str, count: int = NEIGHBORS) -> list[str]:
        """Return the nearest other words by cosine similarity, nearest first; empty for an unknown word."""
        words = self._neighbor_cache.get((word, count))
        if words is None:
            words = self._neighbor_cache[word, count] = self._nearest(word, count)
        return words

    @cached_property
    def _neighbor_cache(self) -> dict[tuple[str, int], list[str]]:
        return {}

    def _nearest(self, word: str, count: int) -> list[str]:
        code = self._words.get(word, self._words.get(word.lower()))
        if code is None:
            return []
        codes, spellings = self.whole_words
        similarity = self._vectors @ self._vectors[int(np.searchsorted(codes, code))]
        # over-select, as spellings that differ only in case are dropped below; lexsort breaks ties by index
        near = np.argpartition(-similarity, min(4 * count, len(codes) - 1))[: 4 * count + 1]
        near = near[np.lexsort((near, -similarity[near]))]
        others = [spellings[i] for i in near.tolist() if spellings[i].lower() != word.lower()]
        return others[:count]

    @cached_property
    def _splitter(self) -> Any:
        """The tokenizer without truncation and padding."""
        try:
            from tokenizers import Tokenizer
        except ImportError:
            raise missing_extra("modality 'text'", "tokenizers", "text") from None
        splitter = Tokenizer.from_str(self.tokenizer)
        splitter.no_truncation()
        splitter.no_padding()
        return splitter

    def encoding(self, text: str) -> Any:
        """Tokenize a text: an encoding with `ids` and `offsets`."""
        return self._splitter.encode(text)

    def tokens(self, text: str) -> list[Span]:
        """Return token spans of a text, widened to whole characters; tokens that share a character are merged."""
        offsets = self.encoding(text).offsets
        return whole_characters(text, (Span(end - len(text[start:end].lstrip()), end) for start, end in offsets))

    @cached_property
    def mask_code(self) -> int:
        """Id of the mask token."""
        return int(self._splitter.token_to_id(self.mask))

    @cached_property
    def lower_cases(self) -> bool:
        """Whether the tokenizer is uncased (lower-cases its input)."""
        return bool(self.encoding("A B").ids == self.encoding("a b").ids)

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("tokenizer", "path", "mask")}


@lru_cache(maxsize=2)
def lexicon(tokenizer: str, path: str, mask: str) -> Lexicon:
    """Return the lexicon of a model, one per process; forked workers share the loaded embeddings."""
    return Lexicon(tokenizer, path, mask)


@lru_cache(maxsize=1)
def _bytes_by_character() -> Mapping[str, int]:
    """Map characters of byte-level BPE vocabularies to bytes (GPT-2): printable as they are, others from 256."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {**{chr(b): b for b in printable}, **{chr(256 + i): b for i, b in enumerate(others)}}


def _decoded(token: str, bytes_of: Mapping[str, int]) -> str:
    """Decode a token of a byte-level BPE vocabulary; empty if it is not valid UTF-8."""
    try:
        return bytes(bytes_of[character] for character in token).decode()
    except (KeyError, UnicodeDecodeError):
        return ""
