"""Find exact and near duplicates, and describe them: across splits, with different labels, and within a split."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ftaug.runs.doctor.finding import EXAMPLES, Finding
from ftaug.runs.doctor.parallel import parallel
from ftaug.runs.doctor.scan import SampleRef, Scan, data_health

Kind: TypeAlias = tuple[str, str, bool]
"""The split of the later sample of a pair, that of the earlier, and whether their labels differ."""


@dataclass(frozen=True)
class Duplicates:
    """Pairs of duplicates as rows of a scan; the first of a pair is in the same or an earlier split."""

    pairs: np.ndarray  # int64 (m, 2)
    exact: np.ndarray  # bool (m,): exact copies, else near duplicates


@dataclass(frozen=True)
class _Comparison:
    """Compare the samples of a candidate pair by its number."""

    scan: Scan
    pairs: np.ndarray
    modality: str

    def __call__(self, number: int) -> bool:
        first, second = (self.scan.sample(row).read() for row in self.pairs[number])
        return data_health(self.modality).near_duplicate(first, second)


def find(scan: Scan, modality: str, workers: int) -> Duplicates:
    """Find exact duplicates by digest, and near duplicates among the rest by sketch and a comparison of samples."""
    exact, distinct = _exact(scan.digests)
    candidates = distinct[data_health(modality).candidates(scan.values.take(distinct))]
    comparison = _Comparison(scan, candidates, modality)
    is_near = np.fromiter(parallel(comparison, len(candidates), workers), bool, len(candidates))
    pairs = np.sort(np.concatenate([exact, candidates[is_near]]), axis=1)
    return Duplicates(pairs, np.arange(len(pairs)) < len(exact))


def _exact(digests: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of rows with equal digests (each with the first such row), and the first row of each digest."""
    _, first, inverse = np.unique(digests, return_index=True, return_inverse=True)
    first_of_row = first[inverse]
    again = np.flatnonzero(first_of_row != np.arange(len(digests)))
    return np.stack([first_of_row[again], again], axis=1), np.sort(first)


def group_ids(pairs: np.ndarray, count: int) -> np.ndarray:
    """Return the group of each row, int64 (n,): the lowest row that is connected to it by pairs."""
    groups, before = np.arange(count), None
    while before is None or (groups != before).any():
        before = groups.copy()
        lowest = np.minimum(*groups[pairs].T) if len(pairs) else np.empty(0, np.int64)
        for column in pairs.T:
            np.minimum.at(groups, column, lowest)
        groups = groups[groups]
    return groups


def findings(scan: Scan, duplicates: Duplicates, noun: str) -> list[Finding]:
    """Describe the duplicates by kind, those across splits first."""
    kinds = [
        (kind, is_exact, pairs)
        for is_exact in (True, False)
        for kind, pairs in by_kind(scan, duplicates.pairs[duplicates.exact == is_exact]).items()
    ]
    kinds.sort(key=lambda each: (_order(each[0])[:2], not each[1], each[0]))
    return [_finding(scan, *each, noun) for each in kinds]


def by_kind(scan: Scan, pairs: np.ndarray) -> dict[Kind, list[tuple[int, int]]]:
    """Collect pairs of rows by their splits and whether their labels differ: across splits first, then differing."""
    kinds: dict[Kind, list[tuple[int, int]]] = {}
    for first, second in pairs.tolist():
        earlier, later = scan.sample(first), scan.sample(second)
        relabeled = not np.array_equal(earlier.target, later.target)
        kinds.setdefault((later.split.purpose, earlier.split.purpose, relabeled), []).append((first, second))
    return {kind: kinds[kind] for kind in sorted(kinds, key=_order)}


def _order(kind: Kind) -> tuple[bool, bool, Kind]:
    later, earlier, relabeled = kind
    return later == earlier, not relabeled, kind


def _finding(scan: Scan, kind: Kind, is_exact: bool, pairs: Sequence[tuple[int, int]], noun: str) -> Finding:
    later, earlier, relabeled = kind
    copies = "exact copies" if is_exact else "near duplicates"
    where = "of one another" if later == earlier else f"of {noun}s in {earlier}"
    return Finding(
        f"{'exact' if is_exact else 'near'}_duplicates",
        "caution" if later != earlier or relabeled else "note",
        len({second for _, second in pairs}),
        f"{later}: {copies} {where}{', with another label' if relabeled else ''}",
        [example(scan, *pair, relabeled=relabeled) for pair in pairs[:EXAMPLES]],
    )


def example(scan: Scan, first: int, second: int, *, relabeled: bool) -> str:
    """Return the names of a pair of rows, the later first, and their labels if they differ."""
    names = (f"{s.name} ({s.label})" if relabeled else s.name for s in (scan.sample(second), scan.sample(first)))
    return " = ".join(names)


def as_json(scan: Scan, duplicates: Duplicates) -> Iterator[dict[str, Any]]:
    """Yield the groups of duplicates as JSON values: their samples, and whether all are exact copies."""
    groups = group_ids(duplicates.pairs, len(scan))
    members: dict[int, list[int]] = {}
    for row in np.flatnonzero(np.bincount(groups, minlength=len(scan))[groups] > 1).tolist():
        members.setdefault(int(groups[row]), []).append(row)
    for rows in members.values():
        samples = [scan.sample(row) for row in rows]
        yield {
            "exact": len(set(scan.digests[rows])) == 1,
            "samples": [sample_as_json(sample) for sample in samples],
        }


def sample_as_json(sample: SampleRef) -> dict[str, str]:
    """Return the split, the name and the label of a sample."""
    return {"split": sample.split.purpose, "name": sample.name, "label": sample.label}
