"""The feature cache of several processes: each computes its share, and the stored bits are those of one process."""

from dataclasses import replace

import pytest
from processes import in_ranks
from small_training import EXPERIMENT, state_of

from ftaug.engine.system.ranks import ALONE
from ftaug.engine.training.feature_cache import fill, missing, open_feature_cache

SETTINGS = (
    "data.train={digits: {per_class: 4}}",
    "data.val={split: 40%}",
    "data.batch_size=8",
    "unfreeze=[head]",
    "augment=[rotate]",
    "train.epochs=2",
)


def stored(folder, place, ranks, carry_on=lambda: True):
    """Fill the cache; return the number of batches by purpose, the features, the file, and what is missing."""
    own = folder / f"{ranks.size}-{ranks.rank}"
    own.mkdir()
    settings = (*SETTINGS, f"train.cache_features={place}")
    state = replace(state_of(own, EXPERIMENT, *settings), ranks=ranks)
    with open_feature_cache(state, 0) as features:
        needed = missing(state, features, 0)
        counts = [len(list(fill(state, features, purpose, needed[purpose], carry_on))) for purpose in needed]
        ranks.wait()  # until the first process has marked the last view
        values = [data.features.clone().numpy() for data in features.datasets.values()]
        return counts, values, features.stores["train"].path, missing(state, features, 0)


@pytest.mark.parametrize("place", ["disk", "ram"])
def test_processes_share_the_batches_of_one_store(tmp_path, monkeypatch, place) -> None:
    settings = f"{{views: 2, place: {place}}}"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "alone"))
    counts, expected, alone, _ = stored(tmp_path, settings, ALONE)
    assert counts == [2 * 3, 2]  # 24 samples in batches of 8, twice; 16 of validation
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "shared"))
    first, second = in_ranks(tmp_path, 2, lambda ranks: stored(tmp_path, settings, ranks))
    assert (first[0], second[0]) == ([2 * 2, 1], [2 * 1, 1])
    assert first[2] == second[2] != alone
    assert first[2].exists() == (place == "disk")
    for _, values, _, left in (first, second):
        assert [each.tobytes() for each in values] == [each.tobytes() for each in expected]
        assert not any(left.values())


def test_a_stop_of_one_process_stops_all(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    settings = "{views: 2, place: disk}"
    for counts, _, _, left in in_ranks(
        tmp_path, 2, lambda ranks: stored(tmp_path, settings, ranks, lambda: ranks.rank == 0)
    ):
        assert counts == [1, 1]
        assert left == {"train": [0, 1], "val": [0]}
