"""The runs of an ablation, and the effects from their results."""

from dataclasses import replace

import pytest

from ftaug.errors import Diverged
from ftaug.experiment_file import open_experiment
from ftaug.runs.ablation import ablate
from ftaug.runs.ablation.variants import design
from ftaug.runs.study.study_folder import StudyFolder
from ftaug.runs.study.study_run import Failure, StudyRun

CONFIG = """
data: {train: digits}
backbone: resnet20
seed: 3
augment: [rotate, translate, rotate]
"""
NAMES = ["baseline", "removed-rotate", "removed-translate", "removed-rotate.1"]


@pytest.fixture
def designed(write):
    return design(open_experiment(write(CONFIG)), (), (), ["none"])


def runs_of(designed, folder, metrics):
    """Finished runs with this accuracy by variant and seed, or failed ones."""
    specs = ablate.specs(designed, (), len(metrics[0]))
    by_variant = dict(zip(NAMES, metrics, strict=True))
    runs = {}
    for spec in specs:
        run = StudyRun(spec, folder / spec.name)
        value = by_variant[spec.facts["variant"]][spec.facts["seed"] - 3]
        run.path.mkdir(parents=True)
        (run.path / "resolved.yaml").write_text("evaluate: {best: accuracy}\n")
        failure = Failure(3, "the loss is not finite")
        runs[spec.name] = replace(run, failure=failure) if value is None else replace(run, metrics={"accuracy": value})
    return runs


def test_runs_are_planned_seed_by_seed(designed):
    specs = ablate.specs(designed, ("train.epochs=1",), 2)
    assert [spec.name for spec in specs] == [f"{name}-seed-{seed}" for seed in (3, 4) for name in NAMES]
    assert specs[6].overrides == ("train.epochs=1", "~augment.1", "seed=4")


def test_names_of_settings_are_no_names_of_folders(write):
    result = design(open_experiment(write(CONFIG)), (), ["mix"], ["{shear: {x: 5}},{shear: {x: 9}}"])
    names = {spec.name for spec in ablate.specs(result, (), 1)}
    assert len(names) == 3
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for name in names)


def test_effects_are_with_less_without_the_best_first(designed, tmp_path):
    metrics = [[0.9, 0.8], [0.85, 0.7], [0.95, 0.85], [0.9, 0.8]]
    result = ablate.measure(designed, StudyFolder(tmp_path), runs_of(designed, tmp_path, metrics), 2)
    assert (result.metric, result.higher_is_better, result.seeds) == ("accuracy", True, [3, 4])
    effects = {each.variant.name: each.effect.values for each in result.results}
    assert list(effects) == ["rotate", "rotate#1", "translate"]
    assert effects["rotate"] == pytest.approx((0.05, 0.1))
    assert effects["translate"] == pytest.approx((-0.05, -0.05))
    assert result.notes == ["2 seeds cannot reach 5 %: the smallest possible p is 0.5; 6 can"]


def test_failed_runs(designed, tmp_path):
    metrics = [[0.9, None, 0.8], [0.9, 0.9, None], [0.8, None, 0.7], [0.9, 0.9, 0.8]]
    result = ablate.measure(designed, StudyFolder(tmp_path), runs_of(designed, tmp_path, metrics), 3)
    assert result.seeds == [3, 5]
    translate, second, first = result.results
    assert translate.effect.values == pytest.approx((0.1, 0.1))
    assert second.effect.values == (0, 0)
    assert (first.variant.name, first.effect, first.failure) == ("rotate", None, "the loss is not finite")
    assert "1 seed left out, as the experiment itself failed with them" in result.notes


def test_an_experiment_that_fails_is_an_error_with_its_code(designed, tmp_path):
    runs = runs_of(designed, tmp_path, [[None, None]] * 4)
    with pytest.raises(Diverged, match="the experiment itself failed: the loss is not finite"):
        ablate.measure(designed, StudyFolder(tmp_path), runs, 2)
