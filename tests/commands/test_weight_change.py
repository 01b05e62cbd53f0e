"""What training moved: the table and the pictures, and features before and after."""

import json
import shutil

import numpy as np
import pytest
from run_files import moved
from safetensors.numpy import load_file

from ftaug.cli import run

FROZEN = ["unfreeze=[layer3, head]", "train.epochs=2", "lr.layer_decay=0.5"]


def train(desk, folder, *overrides):
    return run(["train", str(desk / "colors.yaml"), "--run-dir", str(folder), "--device", "cpu", *overrides])


@pytest.mark.usefixtures("drawn_plots")
def test_the_distance_is_that_of_the_weights(desk, place, capsys):
    assert train(desk, place / "run", "--from", str(desk / "run"), *FROZEN) == 0
    shown = capsys.readouterr().err
    start, end = (load_file(folder / "best" / "model.safetensors") for folder in (desk / "run", place / "run"))
    found = moved(place / "run")
    assert list(found) == ["stem", "layer1", "layer2", "layer3", "head"]
    for stage, prefix in (("layer3", "layer3."), ("head", "fc.")):
        names = [n for n in end if n.startswith(prefix) and "running" not in n and "num_batches" not in n]
        one, other = (np.concatenate([side[n].ravel().astype(np.float64) for n in names]) for side in (start, end))
        assert found[stage]["change"] == pytest.approx(np.linalg.norm(other - one) / np.linalg.norm(one), rel=1e-4)
        assert not found[stage]["unchanged"]
    assert all(found[stage]["unchanged"] and found[stage]["rate"] is None for stage in ("stem", "layer1", "layer2"))
    assert found["head"]["rate"] == pytest.approx(5e-3) and found["layer3"]["rate"] == pytest.approx(2.5e-3)
    assert shown.count("unchanged") == 3 and "weight change" in shown
    assert (place / "run" / "report" / "moved.png").stat().st_size > 5000


def test_gradients_are_the_roots_of_their_mean_squares(desk, place):
    assert train(desk, place / "run", *FROZEN, "train.clip_norm=0.1") == 0
    rows = [json.loads(line) for line in (place / "run" / "metrics.jsonl").read_text().splitlines()]
    rows = [row for row in rows if "gradients" in row]
    assert all(row["gradients"].keys() == {"layer3", "head"} for row in rows)
    for row in rows:  # every step has a row here, and the norm before clipping is that of all stages together
        assert np.hypot(*row["gradients"].values()) == pytest.approx(row["gradient_norm"], rel=1e-3)
    for stage, one in moved(place / "run").items():
        norms = [row["gradients"][stage] for row in rows if stage in row["gradients"]]
        assert one["gradient"] == (pytest.approx(np.sqrt(np.mean(np.square(norms)))) if norms else None)


def test_what_a_method_added_counts_where_it_is(desk, place):
    assert train(desk, place / "run", "method=lora", "unfreeze=[head]", "train.epochs=2") == 0
    found = moved(place / "run")
    assert not any(found[stage]["unchanged"] for stage in ("layer1", "layer2", "layer3"))
    assert all(found[stage]["gradient"] > 0 for stage in ("layer1", "layer2", "layer3", "head"))


def test_a_start_that_is_gone_is_said(desk, place, capsys):
    shutil.copy(desk / "run" / "best" / "model.safetensors", place / "first.safetensors")
    started = [f"backbone.resnet20.weights={json.dumps(str(place / 'first.safetensors'))}", "train.epochs=1"]
    assert train(desk, place / "run", *started) == 0
    (place / "run" / "complete.json").unlink()
    (place / "first.safetensors").unlink()
    capsys.readouterr()
    assert train(desk, place / "run", *started) == 0
    assert "the weight change cannot be computed: no weights file at " in capsys.readouterr().err


def test_features_before_and_after(desk, place, capsys):
    assert train(desk, place / "run", *FROZEN) == 0
    capsys.readouterr()
    assert run(["inspect", str(place / "run"), "--cka", "--json"]) == 0
    alike = json.loads(capsys.readouterr().out)["cka"]
    assert list(alike) == ["stem", "layer1", "layer2", "layer3", "head"]
    assert all(alike[stage] == pytest.approx(1, abs=1e-4) for stage in ("stem", "layer1", "layer2"))
    assert alike["head"] < 0.999
    assert run(["inspect", str(place / "run"), "--cka"]) == 0
    assert "features alike" in capsys.readouterr().out


def test_features_of_a_file_are_refused(desk, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["inspect", str(desk / "colors.yaml"), "--cka"]) == 2
    assert "--cka compares before and after training and needs a run folder" in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


def test_texts(place, capsys):
    (place / "texts.yaml").write_text(
        "modality: text\ndata: {train: {docstrings: {per_class: 4}}, val: {split: 20%}, workers: 0}\n"
        "backbone: {tiny_text: {weights: none, max_length: 12}}\nunfreeze: [layer4, head]\ntrain: {epochs: 1}\n"
    )
    assert run(["train", str(place / "texts.yaml"), "--run-dir", str(place / "run")]) == 0
    found = moved(place / "run")
    assert [stage for stage, row in found.items() if not row["unchanged"]] == ["layer4", "head"]
    capsys.readouterr()
    assert run(["inspect", str(place / "run"), "--cka", "--json"]) == 0
    alike = json.loads(capsys.readouterr().out)["cka"]
    assert alike["layer3"] == pytest.approx(1, abs=1e-4) and alike["layer4"] < 1
