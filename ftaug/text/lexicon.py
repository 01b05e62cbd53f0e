"""What the model's own weights know of words: the nearest in its embedding matrix."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.errors import MissingInput

NEIGHBOURS = 8
EMBEDDINGS = ("word_embeddings.weight", "tok_embeddings.weight", "embed_tokens.weight", "shared.weight")
"""How the embedding matrix is called, by the libraries' models."""


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
        reason = str(error).partition("\n")[0]
        raise MissingInput(f"cannot get model.safetensors of {path}: {reason}") from None


@dataclass(frozen=True)
class Lexicon:
    """The words of a tokenizer that are one token, with their vectors in the model's weights."""

    tokenizer: str  # as JSON
    path: str  # a folder with model.safetensors, or the name of a model on the hub
    mask: str = "[MASK]"  # the token that stands for one that is not shown

    @cached_property
    def _words(self) -> Mapping[str, int]:
        """Whole words by their tokens' ids; pieces of words and marks are none."""
        model = json.loads(self.tokenizer)["model"]
        vocabulary = model["vocab"]
        pairs = vocabulary.items() if isinstance(vocabulary, dict) else ((w, i) for i, (w, _) in enumerate(vocabulary))
        marked = [(w, i) for w, i in pairs if w[:1] in "Ġ▁"]
        whole = [(w[1:], i) for w, i in marked] if len(marked) > 10 else [(w, i) for w, i in pairs]
        return {word: code for word, code in whole if word.isalpha()}

    @cached_property
    def _spelt(self) -> Mapping[int, str]:
        return {code: word for word, code in self._words.items()}

    @cached_property
    def _vectors(self) -> tuple[np.ndarray, np.ndarray]:
        """The ids of whole words, and their vectors of length 1."""
        from safetensors import safe_open

        with safe_open(weights_file(self.path), framework="np") as file:
            table = file.get_tensor(next(key for key in file.keys() if key.endswith(EMBEDDINGS)))  # noqa: SIM118
        codes = np.array(sorted(set(self._words.values())), np.int64)
        vectors = table[codes].astype(np.float32)
        return codes, vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)

    def neighbours(self, word: str) -> list[str]:
        """The nearest other words by the angle between vectors, nearest first; none of a word it does not know."""
        code = self._words.get(word, self._words.get(word.lower()))
        if code is None:
            return []
        codes, vectors = self._vectors
        closeness = vectors @ vectors[int(np.searchsorted(codes, code))]
        near = codes[np.argsort(-closeness, kind="stable")[: NEIGHBOURS + 1]]
        return [self._spelt[int(i)] for i in near if int(i) != code][:NEIGHBOURS]

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("tokenizer", "path", "mask")}
