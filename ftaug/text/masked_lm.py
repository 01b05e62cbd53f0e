"""Masked language model predictions for words, on the CPU, one text at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ftaug.errors import BadData, MissingInput, first_line
from ftaug.hub.model_folder import library
from ftaug.text.backbones.encoders import positions
from ftaug.text.edits import Passage
from ftaug.text.lexicon import Lexicon
from ftaug.text.segmentation import Span
from ftaug.weights import download_error

SHOWN = 3
UNLIMITED = 512
"""Maximum number of tokens of a model whose configuration sets no limit."""


class Head(NamedTuple):
    """A masked language model and its maximum number of tokens."""

    model: Any
    longest: int


@lru_cache(maxsize=1)
def model(path: str) -> Head:
    """Load the model at a path with its masked language modeling head; raises MissingInput, BadData, Unavailable."""
    transformers = library("augment.masked_fill")
    import torch

    if Path(path).is_absolute() and not Path(path, "config.json").is_file():
        raise MissingInput(f"augment.masked_fill: {path} is not a folder with a config.json")
    try:
        network, loading_info = transformers.AutoModelForMaskedLM.from_pretrained(
            path, use_safetensors=True, trust_remote_code=False, dtype=torch.float32, output_loading_info=True
        )
    except OSError as error:
        raise MissingInput(f"augment.masked_fill: {download_error(path, error)}") from None
    except ValueError as error:
        raise BadData(f"augment.masked_fill: {path} has no masked-token head: {first_line(error)}") from None
    if missing := sorted(loading_info["missing_keys"]):
        named = ", ".join(missing[:SHOWN])
        raise BadData(
            f"augment.masked_fill: {path} was saved without its masked-token head ({named} is missing); "
            "use neighbors, or weights as they were pretrained"
        )
    return Head(network.eval(), positions(network) or UNLIMITED)


def words_seen(passage: Passage) -> list[Span]:
    """Return the changeable words within the model's maximum length."""
    assert passage.lexicon is not None
    encoding, longest = passage.lexicon.encoding(passage.text), model(passage.lexicon.path).longest
    if len(encoding.ids) <= longest:
        return list(passage.free)
    end = encoding.offsets[longest - 2][1]
    return [word for word in passage.free if word.end <= end]


def fill(passage: Passage, words: Sequence[Span], uniform: Sequence[float], candidates: int) -> Mapping[Span, str]:
    """Sample a replacement for each word from the `candidates` most likely others, given numbers `uniform` in [0, 1).

    Words beyond the model's maximum length get none.
    """
    import torch

    assert passage.lexicon is not None
    lexicon, head = passage.lexicon, model(passage.lexicon.path)
    ids, places = _masked(passage, words, lexicon, head.longest)
    if not places:
        return {}
    codes, spellings = lexicon.whole_words
    with _one_thread(), torch.inference_mode():
        logits = head.model(input_ids=torch.tensor([ids])).logits[0, list(places.values())].numpy()
    replacements: dict[Span, str] = {}
    for word, row in zip(places, logits[:, codes], strict=True):
        original = passage[word].lower()
        order = np.argsort(-row, kind="stable")[: candidates + SHOWN].tolist()
        best = [i for i in order if spellings[i].lower() != original][:candidates]
        if best:
            # inverse transform sampling from the softmax over the best candidates
            weights = np.exp((row[best] - row[best[0]]).astype(np.float64)).cumsum()
            replacements[word] = spellings[
                best[int(np.searchsorted(weights, uniform[words.index(word)] * weights[-1]))]
            ]
    return replacements


def _masked(
    passage: Passage, words: Sequence[Span], lexicon: Lexicon, longest: int
) -> tuple[list[int], dict[Span, int]]:
    """Return the token ids of the text with these words masked, and the index of the mask of each word."""
    parts, at, ends, shift = [], 0, {}, 0
    for word in words:
        parts += [passage.text[at : word.start], lexicon.mask]
        shift += len(lexicon.mask) - (word.end - word.start)
        ends[word.end + shift] = word
        at = word.end
    encoding = lexicon.encoding("".join([*parts, passage.text[at:]]))
    ids = encoding.ids if len(encoding.ids) <= longest else [*encoding.ids[: longest - 1], encoding.ids[-1]]
    code = lexicon.mask_code
    places = {
        ends[end]: i
        for i, (token, (_, end)) in enumerate(zip(ids, encoding.offsets, strict=False))
        if token == code and end in ends
    }
    return ids, places


@contextmanager
def _one_thread() -> Iterator[None]:
    """Limit torch to one thread, as in a worker, so that results are the same for any number of workers."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
