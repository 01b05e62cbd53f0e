"""Find samples whose features are nearly equal: copies that were mirrored, turned or cropped, and paraphrases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ftaug.data.similar_features import similar_pairs
from ftaug.runs.doctor import duplicates
from ftaug.runs.doctor.finding import EXAMPLES, Finding
from ftaug.runs.doctor.scan import Scan

ALIKE = 0.85
"""Cosine of standardized features from which samples are similar."""

MOST_WITHIN = 20_000
"""Number of samples above which only those of different splits are compared."""


@dataclass(frozen=True)
class SimilarSamples:
    """Pairs of samples with nearly equal features as rows of a scan, the most similar first."""

    pairs: np.ndarray  # int64 (m, 2): the first is in the same or an earlier split
    similarities: np.ndarray  # float32 (m,)
    across_only: bool  # whether only samples of different splits were compared


def find(scan: Scan, features: np.ndarray, groups: np.ndarray) -> SimilarSamples:
    """Find similar samples that are not in one group; features are float32 (n, values), groups int64 (n,)."""
    across_only = len(scan) > MOST_WITHIN
    pairs, similarities = similar_pairs(features, ALIKE, scan.split_index, across_only=across_only)
    is_new = groups[pairs[:, 0]] != groups[pairs[:, 1]]
    return SimilarSamples(pairs[is_new], similarities[is_new], across_only)


def findings(scan: Scan, similar: SimilarSamples, noun: str) -> Iterator[Finding]:
    """Describe the similar samples, those across splits first."""
    for (later, earlier, relabeled), pairs in duplicates.by_kind(scan, similar.pairs).items():
        others = "one another" if later == earlier else f"{noun}s in {earlier}"
        yield Finding(
            "similar_features",
            "caution" if later != earlier else "note",
            len({second for _, second in pairs}),
            f"{later}: look almost like {others} by features{', with another label' if relabeled else ''}",
            [duplicates.example(scan, *pair, relabeled=relabeled) for pair in pairs[:EXAMPLES]],
        )
    if similar.across_only:
        text = f"features are compared across splits only, as there are more than {MOST_WITHIN:,} samples"
        yield Finding("similar_features", "note", 0, text)


def as_json(scan: Scan, similar: SimilarSamples) -> Iterator[dict[str, Any]]:
    """Yield the pairs as JSON values."""
    for pair, similarity in zip(similar.pairs.tolist(), similar.similarities.tolist(), strict=True):
        yield {
            "similarity": round(similarity, 4),
            "samples": [duplicates.sample_as_json(scan.sample(row)) for row in pair],
        }
