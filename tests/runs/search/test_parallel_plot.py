"""The plot of trials in parallel coordinates."""

import numpy as np
import pytest
from PIL import Image

from ftaug.runs.search.parallel_plot import Axis, parallel_coordinates


def test_values_are_placed_between_the_ends_of_their_axis():
    assert Axis("a", [2.0, 4.0, 3.0]).positions.tolist() == [0, 1, 0.5]
    assert Axis("a", [1e-4, 1e-2, 1e-3], is_log=True).positions == pytest.approx([0, 1, 0.5])
    assert Axis("a", [0.0, 2.0], ["x", "y", "z"]).positions.tolist() == [0, 1]
    assert Axis("a", [3.0, 3.0]).positions.tolist() == [0.5, 0.5]


def test_ends_and_choices_are_named():
    assert Axis("a", [0.0], ["x", "y"]).ticks() == [(0, "x"), (1, "y")]
    assert [text for _, text in Axis("a", [1e-4, 1e-2], is_log=True).ticks()] == ["0.0001", "0.001", "0.01"]
    assert Axis("a", [3.0]).ticks() == [(0.5, "3")]


def test_a_line_for_each_trial_is_drawn(tmp_path, drawn_plots):
    rng = np.random.default_rng(0)
    axes = [Axis("lr.peak", rng.random(6).tolist()), Axis("loss", [0.0, 1.0] * 3, ["a", "b"]), Axis("f1", [*range(6)])]
    with Image.open(parallel_coordinates(axes, True, tmp_path / "p.png")) as picture:
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 20
