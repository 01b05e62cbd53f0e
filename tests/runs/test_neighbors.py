import shutil
from dataclasses import replace

import numpy as np
import pytest
from reported import opened
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from ftaug.data import cache_dirs
from ftaug.errors import ExperimentError
from ftaug.runs.neighbors import index_of, open_index, store_index, stored_index, subset


@pytest.fixture(scope="module")
def index():
    model = opened("colors")
    return index_of(model, model.splits["train"])


def test_neighbors_as_scikit_learn_finds_them(index):
    split = index.opened.splits["val"]
    raws = [split.samples.read(int(i)) for i in split.ids[:3]]
    queries = np.concatenate([index.network.compute(index.opened.prepare([raw])) for raw in raws])
    scaler = StandardScaler().fit(index.features)
    oracle = NearestNeighbors(metric="cosine").fit(scaler.transform(index.features))
    distances, rows = oracle.kneighbors(scaler.transform(queries), 4)
    results = index.search(raws, 4, [None] * 3)
    assert [[each.sample.position for each in result] for result in results] == rows.tolist()
    np.testing.assert_allclose([[each.similarity for each in result] for result in results], 1 - distances, atol=1e-5)


def test_a_copy_is_said_to_be_one_and_a_sample_is_not_its_own_neighbor(index):
    raw, sample = index.train.samples.read(int(index.train.ids[3])), int(index.train.ids[3])
    ((nearest, other),) = index.search([raw], 2, [None])
    assert (nearest.sample.position, nearest.is_copy) == (3, True)
    assert nearest.similarity == pytest.approx(1, abs=1e-6)
    assert not other.is_copy
    assert nearest.facts == {
        "name": index.train.samples.name(sample),
        "label": index.train.describe(3),
        "similarity": 1.0,
        "near_duplicate": True,
    }
    ((first, *_),) = index.search([raw], 2, [sample])
    assert first.sample.position == other.sample.position


def test_no_more_neighbors_than_samples(index):
    few = index_of(index.opened, subset(index.train, np.arange(3)))
    raw = index.train.samples.read(int(index.train.ids[0]))
    assert [len(few.search([raw], 9, [sample])[0]) for sample in (None, int(index.train.ids[0]))] == [3, 2]


def test_features_are_stored_once_for_these_weights(index, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert stored_index(index.opened) is None
    np.testing.assert_array_equal(store_index(index.opened).features, index.features)
    stored = stored_index(index.opened)
    np.testing.assert_array_equal(stored.features, index.features)
    (folder,) = (cache_dirs.cache_folder() / "features").iterdir()
    assert [path.name for path in folder.iterdir()] == ["train.npy"]
    weight = next(index.opened.model.parameters())
    before = weight.detach().clone()
    weight.data += 1
    try:
        assert stored_index(index.opened) is None
    finally:
        weight.data.copy_(before)
    assert stored_index(index.opened) is not None
    shutil.rmtree(folder)


def test_a_network_without_features(index):
    with pytest.raises(ExperimentError, match=r"--neighbors: the network of .* has no single layer .*a single fold"):
        open_index(replace(index.opened, stages=()))


def test_texts():
    model = opened("texts")
    index = index_of(model, model.splits["train"])
    raw = index.train.samples.read(0)
    ((nearest,),) = index.search([raw], 1, [None])
    assert nearest.is_copy and nearest.sample.read() == raw
