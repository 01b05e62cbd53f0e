"""Take samples out of a dataset for validation or test: stratified by class or number, never parting a group."""

from __future__ import annotations

import numpy as np

from ftaug.errors import BadData

STRATA = 10
"""Parts of the order of numbers, each of which is on both sides."""


def split(
    targets: np.ndarray, groups: np.ndarray | None, size: float | int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ids that stay and the ids held out, both ascending; a pure function of its arguments.

    Numbers (n, k) are parted like classes, by which part of the order of the first they are in.

    A float is the share to hold out, an int the number. Every class that can is on both sides; one with a single sample
    (or group) stays. Without groups and with one label per sample the number is exact, save that a share is raised to
    one sample per class; otherwise it is as near as groups and labels allow.
    """
    total = _wanted(len(targets), size)
    if targets.dtype.kind == "f":
        targets = _strata(targets[:, 0], min(STRATA, total, len(targets) - total))
    if targets.ndim == 1 and groups is None:
        held_out = _by_class(targets, total, exact=isinstance(size, int), seed=seed)
    else:
        held_out = _by_units(targets, groups, total, seed)
    if not 0 < held_out.sum() < len(targets):
        raise BadData(f"cannot hold out {_said(size)} of {len(targets)} samples: too few samples or groups to part")
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def folds(targets: np.ndarray, groups: np.ndarray | None, count: int, seed: int) -> np.ndarray:
    """Which of `count` equal parts each sample is in: int64 (n,) from 0, a pure function of its arguments.

    Classes are spread evenly, numbers by the order of the first of them; a group is in one part as a whole. With one
    label per sample and no groups the parts differ by one sample at most, and so do the samples of each class in them.
    """
    units = len(targets) if groups is None else len(np.unique(groups))
    if units < count:
        raise BadData(f"cannot make {count} folds of {units} {'samples' if groups is None else 'groups'}")
    if targets.dtype.kind == "f":
        targets = _strata(targets[:, 0], max(1, len(targets) // count))
    found = np.zeros(len(targets), np.int64)
    if targets.ndim == 1 and groups is None:
        shuffled = np.random.Generator(np.random.Philox(seed)).permutation(len(targets))
        found[shuffled[np.argsort(targets[shuffled], kind="stable")]] = np.arange(len(targets)) % count
        return found
    return _spread(targets, groups, count, seed)


def _spread(targets: np.ndarray, groups: np.ndarray | None, count: int, seed: int) -> np.ndarray:
    """Whole groups (or multi-label samples) to folds: the largest first, each to where least of its labels is.

    That is the fold in which the squares of the shares of each label, and of the samples, grow least.
    """
    samples = len(targets)
    unit_of = np.arange(samples) if groups is None else np.unique(groups, return_inverse=True)[1]
    members, labels = (np.arange(samples), targets) if targets.ndim == 1 else np.nonzero(targets)
    shares = np.zeros((int(unit_of.max()) + 1, int(labels.max(initial=0)) + 2))
    np.add.at(shares, (unit_of[members], labels), 1)
    shares[:, -1] = np.bincount(unit_of)
    shares /= shares.sum(axis=0).clip(min=1)
    shuffled = np.random.Generator(np.random.Philox(seed)).permutation(len(shares))
    order = shuffled[np.argsort(-np.square(shares[shuffled]).sum(axis=1), kind="stable")]
    filled = np.zeros((count, shares.shape[1]))
    fold_of = np.empty(len(shares), np.int64)
    for unit in order:
        growth = filled @ shares[unit]
        fold_of[unit] = fold = int(np.lexsort((filled[:, -1], growth))[0])
        filled[fold] += shares[unit]
    return np.asarray(fold_of[unit_of])


def _wanted(samples: int, size: float | int) -> int:
    """The number of samples to hold out."""
    total = size if isinstance(size, int) else round(size * samples)
    if isinstance(size, float) and 0 < size < 1:
        total = min(max(total, 1), samples - 1)
    if not 0 < total < samples:
        raise BadData(f"cannot hold out {_said(size)} of {samples} samples: some must stay for training")
    return total


def _strata(values: np.ndarray, count: int) -> np.ndarray:
    """Which of so many equal parts of the order each value is in: int64 (n,)."""
    places = np.empty(len(values), np.int64)
    places[np.argsort(values, kind="stable")] = np.arange(len(values))
    return places * count // len(values)


def _said(size: float | int) -> str:
    return str(size) if isinstance(size, int) else f"{size:.4g} (a share)"


def _by_class(targets: np.ndarray, total: int, *, exact: bool, seed: int) -> np.ndarray:
    """Hold out each class's quota, chosen at random; returns a mask."""
    counts = np.unique(targets, return_counts=True)[1]
    least = np.minimum(counts - 1, 1)
    if exact and not least.sum() <= total <= (counts - 1).sum():
        raise BadData(
            f"cannot hold out {total} of {len(targets)} samples and have each class on both sides: "
            f"the number must be from {least.sum()} to {(counts - 1).sum()}"
        )
    quotas = _quotas(counts, least, int(np.clip(total, least.sum(), (counts - 1).sum())))
    shuffled = np.random.Generator(np.random.Philox(seed)).permutation(len(targets))
    by_class = shuffled[np.argsort(targets[shuffled], kind="stable")]
    rank_in_class = np.arange(len(targets)) - np.repeat(np.cumsum(counts) - counts, counts)
    held_out = np.zeros(len(targets), bool)
    held_out[by_class[rank_in_class < np.repeat(quotas, counts)]] = True
    return held_out


def _quotas(counts: np.ndarray, least: np.ndarray, total: int) -> np.ndarray:
    """Apportion `total` to classes by largest remainder, each from `least` to its count less one."""
    ideal = total * counts / counts.sum()
    quotas = np.clip(np.floor(ideal).astype(np.int64), least, counts - 1)
    while (missing := total - int(quotas.sum())) != 0:
        step = 1 if missing > 0 else -1
        free = np.flatnonzero(quotas < counts - 1 if step > 0 else quotas > least)
        neediest = free[np.argsort(-step * (ideal - quotas)[free], kind="stable")]
        quotas[neediest[: abs(missing)]] += step
    return np.asarray(quotas)


def _by_units(targets: np.ndarray, groups: np.ndarray | None, total: int, seed: int) -> np.ndarray:
    """Hold out whole groups (or multi-label samples) by iterative stratification; returns a mask.

    Source: Sechidis, Tsoumakas, Vlahavas, On the Stratification of Multi-Label Data (2011): the rarest label first.
    """
    samples = len(targets)
    unit_of = np.arange(samples) if groups is None else np.unique(groups, return_inverse=True)[1]
    members, labels = (np.arange(samples), targets) if targets.ndim == 1 else np.nonzero(targets)
    held_out = _assign(unit_of, unit_of[members], np.asarray(labels), total / samples, seed)
    return np.asarray(held_out[unit_of])


def _assign(unit_of: np.ndarray, owners: np.ndarray, labels: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Decide for each unit whether it is held out, given one (owner, label) pair for each label of each sample."""
    sizes = np.bincount(unit_of)
    classes = int(labels.max()) + 1 if len(labels) else 0
    everything = classes  # a last column counts the samples themselves, so that those without a label part well too
    pairs = np.concatenate([owners * (classes + 1) + labels, np.arange(len(sizes)) * (classes + 1) + everything])
    keys, counts = np.unique(pairs, return_counts=True)
    units, columns = np.divmod(keys, classes + 1)
    counts[columns == everything] = sizes
    starts = np.searchsorted(units, np.arange(len(sizes) + 1))

    by_column = np.random.Generator(np.random.Philox(seed)).permutation(len(units))
    by_column = by_column[np.argsort(columns[by_column], kind="stable")]
    column_ends = np.searchsorted(columns[by_column], np.arange(classes + 2))

    undecided = np.bincount(columns, minlength=classes + 1)  # units that hold each label
    filled = np.zeros((2, classes + 1))  # how many of each label stay, and are held out
    decision = np.full(len(sizes), -1, np.int8)
    while undecided[:everything].any() or undecided[everything]:
        open_labels = np.flatnonzero(undecided[:everything])
        column = open_labels[np.argmin(undecided[open_labels])] if len(open_labels) else everything
        for entry in by_column[column_ends[column] : column_ends[column + 1]]:
            unit = units[entry]
            if decision[unit] >= 0:
                continue
            decision[unit] = side = _side(filled[:, column], counts[entry], share, last=undecided[column] == 1)
            held = slice(starts[unit], starts[unit + 1])
            filled[side, columns[held]] += counts[held]
            undecided[columns[held]] -= 1
    return np.asarray(decision == 1)


def _side(filled: np.ndarray, count: int, share: float, *, last: bool) -> int:
    """0 to stay, 1 to be held out: the side that is emptier for its share; the last one goes where there is none."""
    stays, held = filled
    if last and (stays == 0) != (held == 0):
        return int(held == 0)
    return int((held + count / 2) / share < (stays + count / 2) / (1 - share))
