"""Explanations find what decides in models that were trained on it: a square in a corner, a word."""

import runpy
from pathlib import Path

import pytest

SCRIPT = runpy.run_path(str(Path(__file__).parents[3] / "scripts" / "bench" / "explain"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["cnn", "vit"])
def test_the_planted_square_has_nine_tenths_of_the_positive_values(kind, tmp_path):
    chosen, shares = SCRIPT["measure"](kind, tmp_path, 20)
    assert shares[chosen] >= 0.9


@pytest.mark.slow
def test_the_planted_word_ranks_first(tmp_path):
    chosen, firsts = SCRIPT["measure"]("words", tmp_path, 60)
    assert firsts[chosen] >= 0.95
    assert min(firsts.values()) >= 0.95
