"""Damaged inputs are read or refused with an error for the user; `scripts/fuzz` reads many more of them."""

import warnings

import numpy as np
import pytest
from fuzz_targets import TARGETS
from fuzzing import Target, findings, mutated

from ftaug.errors import BadData

COUNTS = {"experiments": 600, "overrides": 200, "tables": 600, "images": 600, "texts": 600, "weights": 300}


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_inputs_are_read_or_refused(tmp_path, name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = list(findings(TARGETS[name](tmp_path), COUNTS[name], seed=0))
    assert not found, found[0].text


def test_the_same_seed_gives_the_same_inputs_and_most_differ_from_the_corpus():
    corpus = [b"a: 1\nb: [2, 3]\n", b'{"x": {"y": [1, 2]}}']
    first, second = (
        [mutated(corpus, generator) for _ in range(200)] for generator in map(np.random.default_rng, (7, 7))
    )
    assert first == second
    assert len(set(first) - set(corpus)) > 150


def test_a_crash_a_wrong_exit_code_and_a_hang_are_found(monkeypatch):
    monkeypatch.setattr("fuzzing.SECONDS", 1)

    def read(data):
        if data == b"refused":
            raise BadData("it is damaged")
        if data == b"hang":
            while True:
                pass
        raise KeyError(data)

    found = list(findings(Target([b"refused", b"crash", b"crash", b"hang"], read), 4, seed=0))
    assert [each.data for each in found] == [b"crash", b"hang"]
    assert found[0].place.startswith("KeyError")
    assert "longer than 1 seconds" in found[1].text
