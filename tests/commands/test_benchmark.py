"""`ftaug benchmark`: a step's time by its parts, which add up, and advice that fits."""

import json

import pytest

from ftaug.cli import run
from ftaug.engine.system.profiler import NAMES


def measured(desk, capsys, *overrides):
    command = ["benchmark", str(desk / "colors.yaml"), "--steps", "2", "--device", "cpu", "--json", *overrides]
    assert run(command) == 0
    return json.loads(capsys.readouterr().out)


def test_the_parts_are_the_step(desk, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = measured(desk, capsys)
    assert set(found["phases"]) == set(NAMES)
    assert 0.5 * found["step"] < sum(found["phases"].values()) <= found["step"]
    assert found["phases"]["backward"] > 0 and found["phases"]["forward"] > 0
    assert found["share_of_bound"] == pytest.approx(found["samples_per_second"] / found["bound"])
    assert list(tmp_path.iterdir()) == []


def test_waiting_is_seen_and_said(desk, capsys, tmp_path):
    plugin = tmp_path / "slow.py"
    plugin.write_text(
        "import time\nfrom ftaug.image import augmentation\n\n\n"
        "@augmentation.register\ndef dawdle(canvas, rng):\n"
        '    """Do nothing, slowly."""\n    time.sleep(0.02)\n'
    )
    found = measured(desk, capsys, f"plugins=[{plugin}]", "augment=[dawdle]")
    assert found["phases"]["wait for data"] > 0.1  # eight pictures of 20 ms
    assert found["preparing"] > 0.015
    assert found["share_of_bound"] < 0.9
    assert found["advice"]


def test_frozen_layers_are_told_to_be_stored(desk, capsys):
    frozen = measured(desk, capsys, "unfreeze=[head]", "data.parts=2")
    assert any("train.cache_features=auto" in said for said in frozen["advice"])
    assert frozen["phases"]["exchange"] > 0  # of the sum of the parts
    assert not any("cache_features" in said for said in measured(desk, capsys)["advice"])


def test_for_a_person(desk, capsys):
    assert run(["benchmark", str(desk / "colors.yaml"), "--steps", "1", "--device", "cpu"]) == 0
    shown = capsys.readouterr().out
    assert "of the step" not in shown and " of a step " in shown and "samples a second" in shown and "MiB" in shown
