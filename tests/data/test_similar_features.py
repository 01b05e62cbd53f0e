"""Similar rows against a comparison of all pairs in a loop."""

import time
import tracemalloc

import numpy as np
import pytest

from ftaug.data import similar_features
from ftaug.data.similar_features import similar_pairs, standardized


def clustered(count=150, values=24):
    """Features of ten clusters on a common offset, which raw cosines cannot tell apart, and two constant columns."""
    rng = np.random.default_rng(0)
    features = 50 + rng.normal(size=(10, values))[np.arange(count) % 10] + 0.4 * rng.normal(size=(count, values))
    return np.concatenate([features * np.linspace(0.1, 9, values), np.ones((count, 2))], axis=1).astype(np.float32)


def brute_force(features, least, splits, *, across_only):
    scaled = features.astype(np.float64)[:, features.std(axis=0) > 0]
    scaled = (scaled - scaled.mean(axis=0)) / scaled.std(axis=0)
    pairs = {}
    for first in range(len(features)):
        for second in range(first + 1, len(features)):
            a, b = scaled[first], scaled[second]
            cosine = (a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum())
            if cosine >= least and not (across_only and splits[first] == splits[second]):
                pairs[first, second] = cosine
    return pairs


@pytest.mark.parametrize("across_only", [False, True])
@pytest.mark.parametrize("block", [7, 64, 2048])
def test_the_pairs_are_those_of_a_comparison_of_all(monkeypatch, block, across_only):
    monkeypatch.setattr(similar_features, "BLOCK", block)
    monkeypatch.setattr(similar_features, "MOST_PAIRS", 1000)
    features, splits = clustered(), np.repeat([0, 1, 2], [90, 25, 35])
    pairs, similarities = similar_pairs(features, 0.8, splits, across_only=across_only)
    expected = brute_force(features, 0.8, splits, across_only=across_only)
    assert 100 < len(expected) == len(pairs)
    found = {tuple(pair): value for pair, value in zip(pairs.tolist(), similarities.tolist(), strict=True)}
    assert found == pytest.approx(expected, abs=1e-4)
    assert (np.diff(similarities) <= 0).all()


def test_the_most_similar_pairs_are_kept(monkeypatch):
    monkeypatch.setattr(similar_features, "BLOCK", 16)
    monkeypatch.setattr(similar_features, "MOST_PAIRS", 1)
    features, splits = clustered(), np.zeros(150, int)
    pairs, similarities = similar_pairs(features, 0.5, splits)
    expected = sorted(brute_force(features, 0.5, splits, across_only=False).values(), reverse=True)
    assert len(pairs) == 150 < len(expected)
    assert similarities == pytest.approx(np.array(expected[:150]), abs=1e-4)


@pytest.mark.parametrize("count", [1, 5])
def test_equal_rows_are_not_compared_by_rounding(count):
    features = np.full((count, 3), 0.1, np.float32)
    assert not standardized(features).any()
    pairs, similarities = similar_pairs(features, 0.8, np.zeros(count, int))
    assert pairs.shape == (0, 2)
    assert similarities.shape == (0,)


@pytest.mark.slow
def test_20_000_rows_take_little_time_and_memory():
    features = np.random.default_rng(0).normal(size=(20_000, 1280)).astype(np.float32)
    features[10_000:10_500] = features[:500] + 0.1 * features[500:1000]
    tracemalloc.start()
    start = time.process_time()
    pairs, _ = similar_pairs(features, 0.85, np.zeros(20_000, int))
    assert {(row, row + 10_000) for row in range(500)} <= set(map(tuple, pairs.tolist()))
    assert time.process_time() - start < 120
    assert tracemalloc.get_traced_memory()[1] < 6 * features.nbytes
    tracemalloc.stop()
