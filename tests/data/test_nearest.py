import tracemalloc

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from ftaug.data import nearest as module
from ftaug.data.nearest import nearest


@pytest.fixture(params=[60, 1 << 22], ids=["blocks of 5", "one block"])
def _blocks(request, monkeypatch):
    monkeypatch.setattr(module, "BLOCK_VALUES", request.param)


@pytest.mark.usefixtures("_blocks")
def test_as_scikit_learn_finds_them():
    rng = np.random.default_rng(0)
    vectors = rng.normal(3, [1, 10, 0.1, 1, 1, 5], (203, 6)).astype(np.float32)
    queries = rng.normal(3, [1, 10, 0.1, 1, 1, 5], (12, 6)).astype(np.float32)
    scaler = StandardScaler().fit(vectors)
    oracle = NearestNeighbors(metric="cosine", algorithm="brute").fit(scaler.transform(vectors))
    distances, rows = oracle.kneighbors(scaler.transform(queries), 4)
    result = nearest(queries, vectors, 4)
    np.testing.assert_array_equal(result.rows, rows)
    np.testing.assert_allclose(result.similarities, 1 - distances, atol=1e-5)


@pytest.mark.usefixtures("_blocks")
def test_equal_vectors_are_taken_in_their_order_and_the_query_itself_is_left_out():
    vectors = np.tile(np.array([[1, 2], [2, 1], [0, 1]], np.float32), (9, 1))
    assert nearest(vectors[:1], vectors, 4).rows.tolist() == [[0, 3, 6, 9]]
    excluded = nearest(vectors[[0, 4, 0]], vectors, 3, np.array([0, 4, -1]))
    assert excluded.rows.tolist() == [[3, 6, 9], [1, 7, 10], [0, 3, 6]]


def test_constant_features_and_the_mean_itself():
    vectors = np.array([[1, 7, 0], [-1, 7, 0], [0, 7, 0]], np.float32)
    result = nearest(np.array([[2, 7, 0]], np.float32), vectors, 3)
    assert result.rows.tolist() == [[0, 2, 1]]
    np.testing.assert_allclose(result.similarities, [[1, 0, -1]])


def test_memory_does_not_grow_with_the_vectors(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BLOCK_VALUES", 1 << 18)
    file = tmp_path / "vectors"
    count, values = 100_000, 32
    vectors = np.memmap(file, np.float16, "w+", shape=(count, values))
    vectors[:] = np.random.default_rng(0).normal(size=(count, values))
    tracemalloc.start()
    result = nearest(vectors[[7, 99_999]], vectors, 2)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert result.rows[:, 0].tolist() == [7, 99_999]
    assert peak < 10e6  # all are 26 MB as float64, a block 2 MB
