"""Replace texts by paraphrases from a user's table, such as back-translations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.augment.transform import happens
from ftaug.config.checks import Found, reads
from ftaug.config.experiment import Experiment
from ftaug.config.problems import predicate
from ftaug.config.registry import FrozenDict, nested
from ftaug.config.types import FilePath
from ftaug.data.tables import delimited
from ftaug.errors import BadData
from ftaug.text import augmentation
from ftaug.text.augmentations.tables import normal, table
from ftaug.text.edits import Edit, Edits, OpProbability, Passage, Rewritten, Span, pick
from ftaug.text.lexicon import Lexicon

KEY, VALUES = "text", "paraphrases"


def _check_coverage(settings: Mapping[str, Any], lexicon: Lexicon, texts: Iterable[str]) -> list[str]:
    """Report how many training texts have paraphrases; raises BadData if none has."""
    path: Path = settings["from"]
    known = table(path, KEY, VALUES)
    hits = [normal(text) in known for text in texts]
    if not any(hits):
        raise BadData(
            f"augment.paraphrases: {path} has none of the {len(hits):,} training texts; '{KEY}' must hold them as "
            "they are in the data"
        )
    share = f"{100 * sum(hits) / len(hits):.0f} %"
    covered = f"paraphrases: {path.name} has {sum(hits):,} of the {len(hits):,} texts ({share}); the others stay"
    return [covered, *delimited.note(path)]


@augmentation.register(severity={"probability": (0.0, 1.0)}, ahead=_check_coverage)
def paraphrases(
    passage: Passage, rng: np.random.Generator, *, from_: FilePath, probability: OpProbability = 0.5
) -> Edits | None:
    """Replace the whole text by a paraphrase, such as a back-translation, from a table of your own.

    Settings:
        from: the table: CSV or TSV whose first row names the columns, text first and paraphrases in those behind it,
            or JSON Lines or Parquet with text and paraphrases

    Texts that the table lacks stay as they are. So does a text whose protected parts, by default its negations, are not
    all in the paraphrase, in their order. It looks a text up as it is in the data, so it comes before other ops.

    Back-translation: Sennrich et al. 2016; as augmentation Xie et al. 2019 (UDA).
    """
    if not happens(rng, probability):
        return None
    whole = passage.text.strip()
    others = table(from_, KEY, VALUES).get(normal(whole), ())
    candidates = [(other, spans) for other in others if (spans := _protected_spans(passage, other)) is not None]
    if not candidates:
        return None
    other, spans = pick(rng, candidates)
    start = passage.text.index(whole)
    protected = tuple(Span(span.start + start, span.end + start) for span in spans)
    edit = Edit(start, start + len(whole), other)
    return Rewritten((edit,), protected=protected, values=FrozenDict(changes=1))


def _protected_spans(passage: Passage, other: str) -> list[Span] | None:
    """Locate the protected parts in a paraphrase, in their order; None if one is missing."""
    spans: list[Span] = []
    for part in passage.protected:
        start = other.find(passage[part], spans[-1].end if spans else 0)
        if start < 0:
            return None
        spans.append(Span(start, start + part.end - part.start))
    return spans


@reads("augment")
def _paraphrases_come_first(experiment: Experiment) -> Found:
    for where, op in nested(experiment.augment, ("augment",)):
        if op.name == "paraphrases":
            yield from _changed_before(experiment, where)


def _changed_before(experiment: Experiment, where: tuple[str | int, ...]) -> Iterator[Any]:
    """Yield a problem if an op that may change the text comes before `paraphrases`."""
    index = int(where[1])
    before = [op.name for op in experiment.augment[:index] if op.name not in ("protect", "paraphrases")]
    if before:
        yield where, predicate(f"looks up texts as they are in the data; put it before {before[0]}")
