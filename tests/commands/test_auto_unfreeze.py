"""`unfreeze: auto`: what learns is chosen once, told, kept, and the same again."""

import json

from run_files import moved

from ftaug.cli import run
from ftaug.config.yaml_document import parse

TEXTS = """
modality: text
data: {train: {docstrings: {per_class: 4}}, val: {split: 20%}, batch_size: 8, workers: 0}
backbone: {tiny_text: {weights: none, max_length: 12}}
unfreeze: auto
train: {epochs: 1}
"""


def train(desk, folder, *overrides):
    line = ["train", str(desk / "colors.yaml"), "--run-dir", str(folder), "--device", "cpu", "unfreeze=auto"]
    return run([*line, *overrides])


def chosen(folder):
    return json.loads((folder / "unfreeze.json").read_text())


def test_what_learns_is_chosen_by_gain_and_told(desk, place, capsys):
    assert train(desk, place / "run") == 0
    shown = capsys.readouterr().err
    kept = chosen(place / "run")
    largest = max(kept["gain"].values())
    assert kept["unfreeze"] == [*(stage for stage, gain in kept["gain"].items() if gain >= largest / 2), "head"]
    assert "unfreeze: auto" in shown and "relative gradient" in shown and "trainable" in shown
    assert parse((place / "run" / "resolved.yaml").read_text(), "x").tree["unfreeze"] == kept["unfreeze"]
    assert [stage for stage, row in moved(place / "run").items() if not row["unchanged"]] == kept["unfreeze"]
    assert run(["evaluate", str(place / "run")]) == 0
    assert train(desk, place / "run") == 0
    assert "already complete" in capsys.readouterr().err


def test_a_run_goes_on_with_what_was_chosen(desk, place):
    """Whatever would be chosen now: what is written holds."""
    assert train(desk, place / "run") == 0
    first = chosen(place / "run")
    (place / "run" / "complete.json").unlink()
    (place / "run" / "unfreeze.json").write_text(json.dumps({**first, "unfreeze": ["head"]}))
    for path in (place / "run" / "checkpoints").iterdir():
        for file in path.iterdir():
            file.unlink()
        path.rmdir()
    (place / "run" / "best").unlink()
    assert train(desk, place / "run") == 0
    assert [stage for stage, row in moved(place / "run").items() if not row["unchanged"]] == ["head"]


def test_texts_rates_and_time_take_it_too(desk, place, capsys, monkeypatch):
    monkeypatch.chdir(place)
    (place / "texts.yaml").write_text(TEXTS)
    assert run(["train", "texts.yaml", "--run-dir", "run"]) == 0
    assert chosen(place / "run")["unfreeze"][-1] == "head"
    assert run(["lr-find", str(desk / "colors.yaml"), "unfreeze=auto", "--steps", "20"]) == 0
    assert run(["benchmark", str(desk / "colors.yaml"), "unfreeze=auto", "--steps", "1"]) == 0
    capsys.readouterr()
    assert run(["inspect", str(desk / "colors.yaml"), "unfreeze=auto"]) == 0
    assert "the layers to train are chosen when training begins (unfreeze: auto)" in capsys.readouterr().out
    assert run(["validate", str(desk / "colors.yaml"), "unfreeze=auto"]) == 0
    assert "learning: auto" in capsys.readouterr().out


def test_with_a_method_that_adds_weights_there_is_nothing_to_choose(desk, place, capsys):
    assert train(desk, place / "run", "method=lora") == 2
    expected = "unfreeze auto chooses stages to train in full, but method lora freezes them; leave one out"
    assert expected in capsys.readouterr().err
