"""What `ftaug train` is asked for is checked before anything is trained."""

import json
from pathlib import Path

import pytest
from run_files import STATUS

from ftaug.errors import DataChanged, ExperimentError, MissingInput
from ftaug.runs import train_file as module
from ftaug.runs.requirements import Requirement
from ftaug.runs.train_file import train_file

EXPERIMENT = """
name: numbers
data: {train: digits, val: {split: 20%}}
backbone: {resnet20: {weights: none}}
"""


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "f.yaml"
    path.write_text(EXPERIMENT)
    return path


@pytest.fixture
def trained(monkeypatch):
    """Experiments and folders of the runs that would be trained."""
    runs = []

    def train_one(experiment, digest, path, invocation, *, fresh):
        runs.append((experiment, path, fresh))
        return {"run": str(path)}

    monkeypatch.setattr(module, "_train_one", train_one)
    return runs


def train(path, overrides=(), **options):
    defaults = {"run_dir": None, "fresh": False, "from_": None, "folds": None, "device": "cpu", "trust_plugins": False}
    return train_file(Path(path), overrides, **{**defaults, **options})


def run_folder(path, *files):
    path.mkdir()
    for name in files:
        (path / name).write_text(EXPERIMENT if name.endswith(".yaml") else "{}")
    return path


def test_a_run_has_its_name_and_digest_as_its_place(config, trained):
    train(config, ["train.epochs=3"])
    train(config, ["train.epochs=3"], run_dir=Path("here"), fresh=True)
    (experiment, path, fresh), (_, chosen, again) = trained
    assert (path.parent, path.name[:8], fresh) == (Path("runs"), "numbers-", False)
    assert (chosen, again) == (Path("here"), True)
    assert experiment.train.epochs == 3


@pytest.mark.parametrize(
    ("files", "options", "error", "words"),
    [
        ([], {}, MissingInput, r"neither an experiment file nor a run folder \(no resolved\.yaml\)"),
        (["folds.json"], {}, ExperimentError, "holds folds; continue them by the `ftaug train --folds` command"),
        (["resolved.yaml"], {}, ExperimentError, "has no checkpoint to continue from; train its experiment file"),
        (["resolved.yaml"], {"run_dir": Path("x")}, ExperimentError, "^--run-dir: .*which is continued in place"),
        (["resolved.yaml"], {"folds": 3}, ExperimentError, "^--folds: .*which is continued in place"),
    ],
)
def test_folders_that_cannot_be_continued(tmp_path, trained, files, options, error, words):
    with pytest.raises(error, match=words):
        train(run_folder(tmp_path / "run", *files), **options)
    assert not trained


def test_a_run_folder_continues_in_place(config, tmp_path, trained):
    folder = run_folder(tmp_path / "run", "resolved.yaml", "experiment.yaml", "model.json", "status.json")
    (folder / "status.json").write_text(json.dumps({**STATUS, "digest": "abc"}))
    train(folder)
    assert [path for _, path, _ in trained] == [folder]


def test_weights_come_from_the_best_checkpoint_of_another_run(config, tmp_path, trained):
    with pytest.raises(ExperimentError, match="--from other: has no best checkpoint"):
        train(config, from_=Path("other"))
    for name in ("model.safetensors", "ema.safetensors"):  # the average is preferred
        best = tmp_path / "other" / "best"
        best.mkdir(parents=True, exist_ok=True)
        (best / name).touch()
        train(config, from_=Path("other"))
        assert trained[-1][0].backbone.settings["weights"] == str(best / name)


@pytest.mark.parametrize(
    ("folds", "overrides", "words"),
    [
        (1, [], "^--folds: must be 2 or more; got 1"),
        (3, ["data.val=digits"], r"^--folds: .*data\.val is a dataset of its own \(digits\); leave it out"),
    ],
)
def test_folds_that_cannot_be(config, trained, folds, overrides, words):
    with pytest.raises(ExperimentError, match=words):
        train(config, overrides, folds=folds)
    assert not trained


def test_a_required_metric_that_is_not_measured(config, trained):
    with pytest.raises(ExperimentError, match="--require acuracy: "):
        train(config, requirements=[Requirement.parse("acuracy>0")])
    assert not trained


@pytest.mark.parametrize(("fresh", "attempts"), [(True, 2), (False, 1)])
def test_changed_data_are_trained_on_anew_only_with_fresh(config, monkeypatch, fresh, attempts):
    calls = []

    def changed(*arguments, **options):
        calls.append(arguments)
        raise DataChanged("the data changed")

    monkeypatch.setattr(module, "_train_one", changed)
    with pytest.raises(DataChanged):
        train(config, fresh=fresh)
    assert len(calls) == attempts
