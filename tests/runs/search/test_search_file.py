"""Experiment files with search spaces: every value is validated at its place; the unsearched experiment is known."""

import pytest
from planted_search import EXPERIMENT, searched

from ftaug.cli import run
from ftaug.config.types import Duration
from ftaug.errors import ExperimentError
from ftaug.experiment_file import load, open_experiment
from ftaug.runs.search.search_file import open_search

FILE = """
data: {train: digits, val: {split: 40%}}
backbone: {search: [{resnet20: {weights: letters}}, resnet18]}
augment:
  - rotate: {degrees: {search: {range: [0, 30]}}}
  - search: [null, horizontal_flip]
  - search: [{brightness: {strength: 0.2}}, brightness]
lr: {peak: {search: {log: [1e-4, 1e-1]}}, schedule: {cosine: {warmup: 5%}}}
optimizer: {adamw: {weight_decay: {search: {log: [1e-5, 0.1], default: 0.03}}}}
loss: {focal: {gamma: {search: {range: [1.0, 4.0]}}}}
"""


@pytest.fixture
def problems(write):
    def problems(text, *overrides):
        with pytest.raises(ExperimentError) as caught:
            open_search(open_experiment(write(text, "f.yaml")), overrides)
        return [str(p).rpartition("/")[2] for p in caught.value.problems]

    return problems


def test_the_unsearched_experiment_has_defaults_and_first_values(write):
    search = open_search(open_experiment(write(FILE)))
    experiment = search.experiment
    assert experiment.backbone.name == "resnet20"
    assert [op.name for op in experiment.augment] == ["rotate", "brightness"]
    assert experiment.augment[0].settings["degrees"] == 15.0
    assert experiment.lr.peak == 1e-3
    assert experiment.lr.schedule.settings["warmup"] == Duration(5, "%")
    assert experiment.optimizer.settings["weight_decay"] == 0.03
    assert experiment.loss.settings["gamma"] == 2.0
    assert (search.metric, search.higher_is_better) == ("accuracy", True)


def test_values_become_overrides_that_build_the_same_experiment(write):
    search = open_search(open_experiment(write(FILE)), ["train.epochs=4"])
    values = {space.key: space.value_at(0.99) for space in search.spaces}
    overrides = search.run_overrides(search.values_overrides(values), seed=3, epochs=2)
    experiment = load(write(FILE), overrides)
    assert [op.name for op in experiment.augment] == ["rotate", "horizontal_flip", "brightness"]
    assert (experiment.backbone.name, experiment.train.epochs, experiment.seed) == ("resnet18", 2, 3)
    assert (experiment.data.split_seed, experiment.data.confirmation) == (0, 0.5)
    assert experiment.lr.peak == values["lr.peak"]
    assert "train.epochs=4" in overrides


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[0, 30]", "[-1, 4]", "f.yaml:5:41: augment.0.rotate.degrees must be an angle from 0 to 360 degrees; got -1"),
        (
            "[0, 30]",
            "[0, 400]",
            "f.yaml:5:44: augment.0.rotate.degrees must be an angle from 0 to 360 degrees; got 400",
        ),
        ("null, horiz", "null, hriz", "f.yaml:6:20: no augmentation 'hrizontal_flip'; did you mean 'horizontal_flip'?"),
        ("brightness]", "{brightness: {a: 1}}]", "f.yaml:7:45: unknown key 'a' in augment.2.brightness"),
        ("default: 0.03", "default: -1", "f.yaml:9:72: optimizer.adamw.weight_decay must be a number of 0 or more"),
        ("{log: [1e-4, 1e-1]}", "[]", "f.yaml:8:21: lr.peak: has no values; a search needs at least two"),
    ],
)
def test_every_value_is_validated_at_its_place(problems, old, new, message):
    (problem,) = problems(FILE.replace(old, new))
    assert problem.startswith(message)


def test_the_values_of_an_override_are_validated_too(problems):
    found = problems(FILE, "data.batch_size={search: [0, 4]}")
    assert found == [
        "override 'data.batch_size={search: [0, 4]}': data.batch_size must be a whole number of 1 or more; got 0"
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            "seed={search: [0, 1]}",
            "seed cannot be searched: all trials share seed, so that they can be compared; search.s",
        ),
        ("data.val.split={search: [20%, 30%]}", "data.val.split cannot be searched: all trials share data.val"),
        ("data.workers={search: [0, 1]}", "data.workers cannot be searched: it does not change results"),
        ("search.best=loss", "loss.focal.gamma changes the loss, by which the best trial is chosen"),
        ("search.sampler=grid", "lr.peak is a range of numbers, and a grid needs listed values"),
        ("search.sampler=cma_es", "backbone is a list, and search.sampler: cma_es searches numbers alone"),
        ("search.best=f1", "search.best must be one of the metrics, accuracy or loss; got f1"),
        ("data.val=null", "a search chooses by validation samples, and data.val is null"),
        ("search={ladder: {steps: [50%]}}", "search.ladder.steps must be two or more shares that ascend to 100%"),
        (
            "search={ladder: {steps: [10%, 11%, 100%]}}",
            "the steps of search.ladder are 1, 1, 10 epochs; train longer than 10, or",
        ),
        ("search={trials: 0}", "search.trials must be a whole number of 1 or more; got 0"),
    ],
)
def test_searches_that_cannot_be_compared_or_proposed(problems, change, message):
    found = problems(FILE, change)
    assert any(message in problem for problem in found), found


def test_a_length_is_not_searched_beside_a_ladder(problems):
    found = problems(FILE, "train.epochs={search: [5, 10]}", "search={ladder: {}}")
    assert any("train.epochs cannot be searched with search.ladder" in problem for problem in found), found


def test_a_grid_larger_than_the_trials_is_refused(tmp_path):
    text = EXPERIMENT.replace("log: [1e-4, 1.0]", "log: [1, 9]")
    with pytest.raises(ExperimentError, match=r"the grid has 27 combinations, and search\.trials is 26; raise it"):
        searched(tmp_path, "{sampler: grid, trials: 26}", text)
    searched(tmp_path, "{sampler: grid, trials: 27}", text)


def test_a_file_without_a_space_is_told_how_to_write_one(problems):
    (line,) = problems("data: {train: digits}\nbackbone: resnet18\n")
    assert line.startswith("f.yaml: has no search space; write one where a value stands")


def test_quotients_are_shares(tmp_path):
    search = searched(tmp_path, "{ladder: {keep: 1/4}, confirm: null}")
    assert search.settings.ladder.keep == 0.25
    for keep in ("4/3", "1/0", "0"):
        with pytest.raises(ExperimentError, match="must be a share between 0 and 1, such as 1/3 or 30%"):
            searched(tmp_path, f"{{ladder: {{keep: {keep}}}}}")


@pytest.mark.parametrize("command", ["train", "validate", "inspect"])
def test_other_commands_name_the_spaces_and_how_to_set_them(write, capsys, command):
    assert run([command, str(write(FILE))]) == 2
    text = capsys.readouterr().err
    assert (
        "experiment.yaml:8:12: lr.peak is a search space: `ftaug search` tries its values; to set one: lr.peak=0.003"
        in text
    )
    assert (
        "experiment.yaml:6:5: augment.1 is a search space: `ftaug search` tries its values; to set one: ~augment.1"
        in text
    )
    assert text.count("search space") == 7


WRONG = """data: {train: digits}
backbone: {search: [resnet18, resnet20]}
augment:
  - rotate: {degrees: {search: {range: [0, 30]}}}
  - search: [rotat, null]
  - rotate: {degrees: 500}
lr: {peak: {search: [1e-3]}, schedul: cosine}
loss: {search: 3}
optimizer: {adamw: {weight_decay: {search: [-1, 0.1]}}}
"""
OF_SPACES = [
    "2:11: backbone is a search space",
    "4:23: augment.0.rotate.degrees is a search space",
    "5:5: augment.1 is a search space",
    "9:35: optimizer.adamw.weight_decay is a search space",
]
OTHERS = [
    "5:5: no augmentation 'rotat'; did you mean 'rotate'?",
    "6:23: augment.2.rotate.degrees must be an angle from 0 to 360 degrees; got 500",
    "7:21: lr.peak: has only one value",
    "7:30: unknown key 'schedul' in lr; did you mean 'schedule'?",
    "8:16: loss: must be a list of values, or a range",
    "9:35: optimizer.adamw.weight_decay must be a number of 0 or more; got -1",
]


@pytest.mark.parametrize(("command", "expected"), [("train", [*OF_SPACES, *OTHERS]), ("search", OTHERS)])
def test_spaces_are_listed_with_all_other_problems(write, capsys, command, expected):
    assert run([command, str(write(WRONG))]) == 2
    lines = [line.partition("experiment.yaml:")[2] for line in capsys.readouterr().err.splitlines()]
    assert len(lines) == len(expected)
    assert all(any(line.startswith(start) for line in lines) for start in expected)


def test_spaces_of_overrides_are_listed_with_all_other_problems(write, capsys):
    config = str(write("data: {train: digits}\nbackbone: resnet18\nlr: {peak: 0}\n"))
    assert run(["train", config, "mix={search: [null, cutmix]}", "augment={search: 3}", "typo=1"]) == 2
    by_value, by_list, by_space, by_key = capsys.readouterr().err.splitlines()
    assert by_value.endswith("experiment.yaml:3:12: lr.peak must be a number above 0; got 0")
    assert by_list.startswith("override 'augment={search: 3}': augment: must be a list of values")
    assert by_space.endswith("mix is a search space: `ftaug search` tries its values; to set one: mix=null")
    assert by_key.startswith("override 'typo=1': unknown key 'typo'")
