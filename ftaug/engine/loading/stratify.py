"""Stratified train/validation splits and k-folds that keep groups together, stable under changes of the dataset.

Samples are ranked by a hash of their identity, which decides their membership: if samples are added, removed or
reordered, almost all others stay in their split.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ftaug.errors import BadData

INTERVALS = 16
"""Regression targets are binned until no interval has more than this fraction (1 / INTERVALS) of the samples."""

_SPLITMIX = tuple(map(np.uint64, (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)))


def split(
    targets: np.ndarray, groups: np.ndarray | None, size: float | int, identities: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Split into remaining and held-out ids, both ascending; deterministic; raises BadData.

    `identities` are uint64 (n,), a hash of what identifies a sample, or its group: the same for all samples of a group.
    `size` is a share if it is a float, a number of samples if it is an int. Every class with two samples (or groups) or
    more is on both sides; one with a single sample stays. Without groups and with one label per sample the size is
    exact, except that a share is raised to one sample per class; otherwise it is as close as groups and labels allow.
    """
    samples = len(targets)
    total = _number_to_hold_out(samples, size)
    units = _units(targets, groups, identities)
    least = most = None
    if units.strict:
        counts = np.bincount(units.strata)
        least, most = np.minimum((counts - 1).clip(0), 1), (counts - 1).clip(0)
        if isinstance(size, int) and not least.sum() <= total <= most.sum():
            raise BadData(
                f"cannot hold out {total} of {samples} samples and have each class on both sides: "
                f"the number must be from {least.sum()} to {most.sum()}"
            )
        total = int(np.clip(total, least.sum(), most.sum()))
    share = size if isinstance(size, float) else total / samples
    fewest = int(
        np.bincount(units.labels, minlength=1).max() < 2
    )  # with frequent labels, _put_on_both_sides holds some out
    held_out = _hold_out(units, share, total, seed, least, most, fewest)
    if not units.strict:
        _put_on_both_sides(units, held_out, seed)
    mask = held_out[units.of_sample]
    if not 0 < mask.sum() < samples:
        raise BadData(f"cannot hold out {_format_size(size)} of {samples} samples: too few samples or groups to split")
    return np.flatnonzero(~mask), np.flatnonzero(mask)


def folds(targets: np.ndarray, groups: np.ndarray | None, count: int, identities: np.ndarray, seed: int) -> np.ndarray:
    """Assign each sample to one of `count` equal folds: int64 (n,) from 0; deterministic; raises BadData.

    Folds are stratified by class, or by value in regression; a group is in one fold as a whole. With one label per
    sample and no groups the sizes of folds differ by one sample at most, and so do those of each class in them.
    """
    units = _units(targets, groups, identities)
    if len(units.sizes) < count:
        raise BadData(f"cannot make {count} folds of {len(units.sizes)} {'samples' if groups is None else 'groups'}")
    fold_of = np.full(len(units.sizes), count - 1)
    rest = np.arange(len(units.sizes))
    for fold in range(count - 1):
        left = count - fold
        remaining = units.take(rest)
        total = int(remaining.sizes.sum()) // left
        held_out = _hold_out(remaining, 1 / left, total, seed + fold, staying=left - 1)
        fold_of[rest[held_out]] = fold
        rest = rest[~held_out]
    return np.asarray(fold_of[units.of_sample])


@dataclass(frozen=True)
class _Units:
    """The units that are held out as a whole: samples, or groups of them."""

    of_sample: np.ndarray  # int64 (samples,): the unit of each
    identities: np.ndarray  # uint64 (units,): hashes
    sizes: np.ndarray  # int64 (units,): number of samples
    strata: np.ndarray  # int64 (units,): where `strict`, the class
    strict: bool  # whether the share of each stratum is exact to the sample
    nested: Sequence[np.ndarray] = ()  # int64 (units,) each, finest first: strata whose share holds on average
    owners: np.ndarray = field(
        default_factory=lambda: np.zeros(0, np.int64)
    )  # (pairs,): the unit of a (unit, label) pair
    labels: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))  # (pairs,): the label of the pair

    def take(self, rows: np.ndarray) -> _Units:
        """Select units by row; `of_sample`, `owners` and `labels` stay those of all units."""
        return replace(
            self,
            identities=self.identities[rows],
            sizes=self.sizes[rows],
            strata=self.strata[rows],
            nested=[codes[rows] for codes in self.nested],
        )


def _units(targets: np.ndarray, groups: np.ndarray | None, identities: np.ndarray) -> _Units:
    """Build the units of a dataset and the strata that fit its targets."""
    samples = len(targets)
    if groups is None:
        of_sample, first = np.arange(samples), np.arange(samples)
    else:
        first, of_sample = np.unique(groups, return_index=True, return_inverse=True)[1:]
    sizes = np.bincount(of_sample)
    units = _Units(of_sample, identities[first], sizes, np.zeros(len(sizes), np.int64), strict=False)
    if targets.dtype.kind == "f":
        means = np.bincount(of_sample, weights=targets[:, 0].astype(np.float64)) / sizes
        return replace(units, nested=[_intervals(means)])
    if targets.ndim == 1 and groups is None:
        return replace(units, strata=targets, strict=True)
    members, labels = (np.arange(samples), targets) if targets.ndim == 1 else np.nonzero(targets)
    return _stratify_by_labels(units, of_sample[members], np.asarray(labels))


def _stratify_by_labels(units: _Units, owners: np.ndarray, labels: np.ndarray) -> _Units:
    """Stratify units with several labels: by the label of which a unit holds the largest share, then by its label set.

    Shares are relative to the power of two below the label's count, so that one more sample rarely changes them.
    """
    count = len(units.sizes)
    classes = int(labels.max(initial=-1)) + 1
    keys, counts = np.unique(owners * max(classes, 1) + labels, return_counts=True)
    owners, labels = np.divmod(keys, max(classes, 1))
    rarity = np.exp2(-np.floor(np.log2(np.bincount(labels, weights=counts, minlength=classes).clip(min=1))))
    by_share = np.lexsort((labels, -counts * rarity[labels], owners))
    leading = np.full(count, classes)
    unit, first = np.unique(owners[by_share], return_index=True)
    leading[unit] = labels[by_share][first]
    words = _hash_with_seed(labels.astype(np.uint64), 0)
    sums = np.zeros(count, np.uint64)
    np.add.at(sums, owners, words)
    label_sets = np.unique(np.stack([leading.astype(np.uint64), sums]), axis=1, return_inverse=True)[1]
    return replace(units, nested=[label_sets.reshape(-1), leading], owners=owners, labels=labels)


def _intervals(values: np.ndarray) -> np.ndarray:
    """Bin values into intervals with stable bounds: int64 (n,).

    Start with one interval of all floating-point numbers and halve each that holds too many values. The data decides
    which bounds are used, but not where they are, so that one more value rarely changes an interval.
    """
    bits = (values + 0.0).view(np.uint64)  # + 0.0 turns -0.0 into 0.0
    # Order-preserving map from float64 to uint64: flip all bits of negatives, the sign bit of others.
    negative = bits >> np.uint64(63) == 1
    ordered = np.where(negative, ~bits, bits | np.uint64(1 << 63))
    ascending = np.sort(ordered)
    bounds, open_ = [], [(0, len(values))]
    while open_:
        low, high = open_.pop()
        differ = int(ascending[low]) ^ int(ascending[high - 1]) if high > low else 0
        if high - low <= max(1, len(values) // INTERVALS) or not differ:
            continue
        shift = differ.bit_length() - 1
        bound = np.uint64(int(ascending[high - 1]) >> shift << shift)
        middle = int(np.searchsorted(ascending, bound))
        bounds.append(bound)
        open_ += [(low, middle), (middle, high)]
    return np.searchsorted(np.sort(np.array(bounds, np.uint64)), ordered, side="right")


def _hold_out(
    units: _Units,
    share: float,
    total: int,
    seed: int,
    least: np.ndarray | None = None,
    most: np.ndarray | None = None,
    fewest: int = 1,
    staying: int = 1,
) -> np.ndarray:
    """Hold out units with `total` samples, by the ranks of their hashed identities; return a mask (units,).

    With groups, at least `fewest` are held out and at least `staying` remain.
    """
    words = _hash_with_seed(units.identities, seed)
    # Systematic sampling: rank by position within the stratum, level by level, and hold out the first ranks.
    place = words.astype(np.float64)
    for level, codes in enumerate(units.nested):
        order = np.lexsort((words, place, codes))
        jitter = (
            _hash_with_seed(words[order], level + 1).astype(np.float64) / 2**64
        )  # random whether a small stratum is held out
        sizes, counts = units.sizes[order], np.bincount(codes, weights=units.sizes)
        place[order] = (_sums_before(sizes, codes[order]) + jitter * sizes) / counts[codes[order]]
    order = np.lexsort((words, place, units.strata))
    sizes, strata = units.sizes[order], units.strata[order]
    counts = np.bincount(units.strata, weights=units.sizes).astype(np.int64)
    least = np.zeros_like(counts) if least is None else least
    quotas = _quotas(share * counts, least, counts if most is None else most, total)
    held_out = np.zeros(len(words), bool)
    within = _sums_before(sizes, strata) + sizes / 2 < quotas[strata]  # more than half of the unit is within the quota
    if not units.strict:  # one stratum, which may have large groups
        within = np.arange(len(order)) < min(max(int(within.sum()), fewest), len(order) - staying)
    held_out[order] = within
    return held_out


def _sums_before(sizes: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Compute the exclusive cumulative sum of sizes within each code; codes are sorted."""
    sums = np.cumsum(sizes) - sizes
    return np.asarray(sums - sums[np.searchsorted(codes, codes)])


def _put_on_both_sides(units: _Units, held_out: np.ndarray, seed: int) -> None:
    """Move the smallest unit of each label that is on one side only although it has several units, in place."""
    words = _hash_with_seed(units.identities, seed)
    holders = np.bincount(units.labels)
    held = np.bincount(units.labels, weights=held_out[units.owners], minlength=len(holders))
    one_sided = np.flatnonzero((holders > 1) & ((held == 0) | (held == holders)))
    for label in one_sided[np.argsort(holders[one_sided], kind="stable")]:
        owners = units.owners[units.labels == label]
        if held_out[owners].all() or not held_out[owners].any():
            smallest = owners[np.lexsort((words[owners], units.sizes[owners]))[0]]
            held_out[smallest] = not held_out[smallest]


def _hash_with_seed(words: np.ndarray, seed: int) -> np.ndarray:
    """Hash 64-bit words with a seed: uint64 (n,). Source: SplitMix64 (Steele et al., 2014)."""
    step, first, second = _SPLITMIX
    with np.errstate(over="ignore"):
        mixed = (words ^ np.uint64(seed % 2**64)) + step
        mixed = (mixed ^ (mixed >> np.uint64(30))) * first
        mixed = (mixed ^ (mixed >> np.uint64(27))) * second
        return np.asarray(mixed ^ (mixed >> np.uint64(31)))


def _number_to_hold_out(samples: int, size: float | int) -> int:
    """Return the number of samples to hold out; raises BadData if none or all would be."""
    total = size if isinstance(size, int) else round(size * samples)
    if isinstance(size, float) and 0 < size < 1:
        total = min(max(total, 1), samples - 1)
    if not 0 < total < samples:
        raise BadData(f"cannot hold out {_format_size(size)} of {samples} samples: some must stay for training")
    return total


def _format_size(size: float | int) -> str:
    """Format a size for messages."""
    return str(size) if isinstance(size, int) else f"{size:.4g} (a share)"


def _quotas(ideal: np.ndarray, least: np.ndarray, most: np.ndarray, total: int) -> np.ndarray:
    """Apportion `total` to strata by the largest-remainder method, each between `least` and `most`."""
    quotas = np.clip(np.floor(ideal).astype(np.int64), least, most)
    while (missing := total - int(quotas.sum())) != 0:
        step = 1 if missing > 0 else -1
        free = np.flatnonzero(quotas < most if step > 0 else quotas > least)
        neediest = free[np.argsort(-step * (ideal - quotas)[free], kind="stable")]
        quotas[neediest[: abs(missing)]] += step
    return np.asarray(quotas)
