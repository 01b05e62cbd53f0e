"""`ftaug search --policy`, with results in place of training and screening."""

import json
import os
import signal
from pkgutil import resolve_name
from types import SimpleNamespace

import pytest
import yaml
from processes import in_child

from ftaug.cli import run
from ftaug.experiment_file import load
from ftaug.runs.policy import policy_search
from ftaug.runs.policy.policy_search import write_policy
from ftaug.runs.policy.screen import OpScreen

CONFIG = """
data: {train: digits}
backbone: resnet20
search: {confirm: null}
"""
SCREENS = [OpScreen(op, {0.5: -0.01, 1.0: -0.1}, {0.5: 2.0, 1.0: 3.0}, 0.5, ()) for op in ("rotate", "brightness")]


@pytest.fixture
def trained(monkeypatch):
    """Complete each run at once: a choice of augmentations with mixup is the best."""
    runs = []

    def train_file(config, overrides, *, run_dir, **options):
        experiment = load(config, overrides)
        names = [op.name for op in experiment.augment]
        mix = experiment.mix.name if experiment.mix is not None else None
        accuracy = 0.5 + 0.2 * (names == ["one_of"]) + 0.1 * (mix == "mixup")
        (run_dir / "resolved.yaml").write_text("evaluate: {best: accuracy}\n")
        (run_dir / "complete.json").write_text(json.dumps({"step": 1, "best": 1, "metrics": {"accuracy": accuracy}}))
        runs.append((run_dir.name, *names))

    monkeypatch.setattr("ftaug.runs.study.train_run.train_file", train_file)
    monkeypatch.setattr(policy_search, "open_run", lambda path, device, **options: path)
    monkeypatch.setattr(policy_search, "screen", lambda opened: SCREENS)
    return runs


def test_the_best_policy_is_written(write, tmp_path, capsys, trained, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = ["search", str(write(CONFIG)), "--policy", "-o", "found", "--json"]
    assert run([*arguments, "--status"]) == 66
    capsys.readouterr()
    assert run(arguments) == 0
    result = json.loads(capsys.readouterr().out)
    assert trained[0] == ("plain",)
    assert len(trained) == 1 + len(result["trials"]) == 1 + 5 * 3
    policy = yaml.safe_load((tmp_path / result["policy"]).read_text())
    choices = [{"brightness": {"severity": 0.5}}, {"rotate": {"severity": 0.5}}]
    assert policy == {"augment": [{"one_of": {"choices": choices}}], "mix": "mixup"}
    screens = json.loads((tmp_path / "found-screen" / "screen.json").read_text())["screens"]
    assert screens[0]["affinity"] == {"0.5": -0.01, "1": -0.1}
    assert run(arguments) == 0  # nothing is trained again
    assert len(trained) == 1 + 5 * 3


def test_spaces_of_the_file_are_refused(write, capsys, trained):
    config = CONFIG + "lr: {peak: {search: {log: [1e-4, 1e-2]}}}\n"
    assert run(["search", str(write(config)), "--policy"]) == 2
    assert "--policy: lr.peak is a search space" in capsys.readouterr().err


def test_the_screen_of_another_experiment_is_refused(write, tmp_path, capsys, trained, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = ["search", str(write(CONFIG)), "--policy", "-o", "found", "--json"]
    assert run(arguments) == 0
    count = len(trained)
    for more in ([], ["--status"]):
        capsys.readouterr()
        assert run([*arguments, "train.epochs=3", *more]) == 2
        assert "found-screen holds another study; name another folder by --output" in capsys.readouterr().err
    assert len(trained) == count


KILLED_AT = {
    "training of the plain model": ("ftaug.runs.study.train_run.train_file", 1),
    "the screen": ("ftaug.runs.policy.policy_search.screen", 1),
    "storing the screen": ("ftaug.runs.policy.policy_search.os.link", 1),
    "removing the temporary file": ("ftaug.runs.policy.policy_search._clean", 1),
    "training of a trial": ("ftaug.runs.study.train_run.train_file", 7),
    "the result": ("ftaug.runs.search.search.write_result", 1),
    "the report": ("ftaug.runs.search.report.write_report", 1),
    "the policy": ("ftaug.runs.policy.policy_search.write_policy", 1),
}


@pytest.mark.parametrize("at", KILLED_AT)
def test_a_killed_search_continues_to_the_same_policy(write, tmp_path, capsys, trained, monkeypatch, at):
    monkeypatch.chdir(tmp_path)
    config, (target, nth) = str(write(CONFIG)), KILLED_AT[at]

    def killed():
        called = []
        target_function = resolve_name(target)

        def dies(*arguments, **options):
            called.append(arguments)
            if len(called) == nth:
                os.kill(os.getpid(), signal.SIGKILL)
            return target_function(*arguments, **options)

        monkeypatch.setattr(target, dies)
        return run(["search", config, "--policy", "-o", "killed"])

    assert in_child(killed) == -signal.SIGKILL
    assert run(["search", config, "--policy", "-o", "killed"]) == 0
    assert run(["search", config, "--policy", "-o", "whole"]) == 0
    for name in ("killed/policy.yaml", "killed-screen/screen.json", "killed/best.yaml"):
        assert (tmp_path / name).read_bytes() == (tmp_path / name.replace("killed", "whole")).read_bytes()
    results = [json.loads((tmp_path / name / "result.json").read_text()) for name in ("killed", "whole")]
    killed_trials, trials = ([trial | {"runs": []} for trial in result["trials"]] for result in results)
    assert killed_trials == trials
    assert not [*tmp_path.glob("killed*/.*")]


@pytest.mark.parametrize(
    ("overrides", "code", "message"),
    [
        (["data.val=null"], 2, "--policy: chooses by validation samples, and data.val is null; set it"),
        (["data.val={split: 3%}", "search.confirm={}"], 65, "samples would be held out to confirm the result, and 20"),
    ],
)
def test_too_few_validation_samples_are_refused_before_anything_is_trained(
    write, tmp_path, capsys, trained, monkeypatch, overrides, code, message
):
    monkeypatch.chdir(tmp_path)
    assert run(["search", str(write(CONFIG)), *overrides, "--policy", "-o", "found"]) == code
    assert message in capsys.readouterr().err
    assert trained == []
    assert not (tmp_path / "found-screen").exists()


@pytest.mark.parametrize(("is_better", "augment"), [(True, []), (False, ["trivial_augment"])])
def test_the_reference_is_written_unless_the_best_is_better(tmp_path, is_better, augment):
    spaces = [SimpleNamespace(key="augment", first=["trivial_augment"]), SimpleNamespace(key="mix", first=None)]
    outcome = SimpleNamespace(
        plan=SimpleNamespace(search=SimpleNamespace(spaces=spaces)),
        confirmation=SimpleNamespace(is_better=is_better),
        best=SimpleNamespace(values={"augment": [], "mix": None}),
        folder=tmp_path,
    )
    assert yaml.safe_load(write_policy(outcome).read_text()) == {"augment": augment, "mix": None}
