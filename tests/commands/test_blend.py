"""`ftaug blend`: weights between a run's first and last, chosen by validation."""

import json

import numpy as np
import pytest
from run_files import best_weights, learns, read_report, train_colors

from ftaug.cli import run

HEAD = "fc"


def score(folder, capsys):
    capsys.readouterr()
    assert run(["evaluate", str(folder), "--split", "val", "--json"]) == 0
    return json.loads(capsys.readouterr().out)["metrics"]["accuracy"]


@pytest.mark.usefixtures("drawn_plots")
def test_a_blend_lies_between_the_first_and_the_last_weights(desk, started, place, capsys):
    assert run(["blend", str(started / "run"), "--alpha", "0.25", "-o", str(place / "blend")]) == 0
    assert capsys.readouterr().out == f"{place / 'blend'}\n"
    start, end, found = best_weights(desk / "run"), best_weights(started / "run"), best_weights(place / "blend")
    for name in filter(learns, end):
        np.testing.assert_allclose(found[name], 0.75 * start[name] + 0.25 * end[name], rtol=1e-5, atol=1e-6)
    said = read_report(place / "blend", "blend")
    assert said["head_is_blended"] and said["alpha"] == 0.25
    assert [row["norms"] for row in said["blends"]] == ["mixed", "measured anew"]
    assert (place / "blend" / "report" / "blend.png").stat().st_size > 1000
    best = max(row["metrics"]["f1"] for row in said["blends"])
    assert json.loads((place / "blend" / "complete.json").read_text())["metrics"]["f1"] == best


def test_a_fresh_head_is_not_blended(desk, place, capsys):
    assert run(["blend", str(desk / "run"), "--alpha", "0", "--alpha", "0.5", "-o", str(place / "blend")]) == 0
    assert "every blend has the head of the trained run" in capsys.readouterr().err
    end, found = best_weights(desk / "run"), best_weights(place / "blend")
    head = [name for name in end if name.startswith(HEAD)]
    assert head and all(np.array_equal(end[name], found[name]) for name in head)


def test_the_end_of_a_sweep_is_the_run(started, place, capsys):
    assert run(["blend", str(started / "run"), "--alpha", "1", "-o", str(place / "blend"), "--json"]) == 0
    end, found = best_weights(started / "run"), best_weights(place / "blend")
    assert all(np.array_equal(end[name], found[name]) for name in end)
    assert json.loads(capsys.readouterr().out)["blend"]["blends"][0]["norms"] is None
    assert score(place / "blend", capsys) == score(started / "run", capsys)


def test_what_a_method_added_is_folded_in(desk, place):
    assert train_colors(desk, place / "run", "method=lora", "unfreeze=[head]", "train.epochs=1") == 0
    assert run(["blend", str(place / "run"), "--alpha", "0.5", "-o", str(place / "blend")]) == 0
    plain = best_weights(desk / "run")
    assert {name: value.shape for name, value in best_weights(place / "blend").items()} == {
        name: value.shape for name, value in plain.items()
    }
    assert run(["evaluate", str(place / "blend")]) == 0


def test_a_run_that_is_not_there(desk):
    assert run(["blend", str(desk / "nothing")]) == 66
