"""A search from start to end on a table of texts, whose trials train in a fraction of a second."""

import json
from pathlib import Path

import pytest

from ftaug import cli, open_run
from ftaug.engine.system import checkpoint
from ftaug.errors import ExperimentError, NotReached
from ftaug.experiment_file import load, open_experiment
from ftaug.runs.search.search import prepare, run_search
from ftaug.runs.search.search_file import open_search
from ftaug.runs.study.study_folder import StudyFolder
from ftaug.runs.study.train_run import trainer

FILE = """\
# animals
modality: text
data: {train: {text_table: {path: animals.csv}}, val: {split: 50%}, batch_size: 8, workers: 0}
backbone: {tiny_text: {weights: none, max_length: 6}}
augment:
  - search: [null, {swap_characters: {probability: 0.5}}]
lr: {peak: {search: {log: [1e-4, 0.1]}}}   # how fast
train: {epochs: 2, precision: fp32}
search: {trials: 3, ladder: {steps: [50%, 100%], keep: 1/3}, confirm: {finalists: 1, seeds: 1}}
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with a finished search, and what the command printed."""
    folder = tmp_path_factory.mktemp("search")
    rows = [f"the {name} number {n},{name}" for n in range(40) for name in ("cat", "dog")]
    (folder / "animals.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    (folder / "animals.yaml").write_text(FILE)
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        assert cli.run(["search", "animals.yaml", "-o", "found", "--json"]) == 0
        yield folder


@pytest.fixture
def result(desk, monkeypatch):
    monkeypatch.chdir(desk)
    return json.loads(Path("found/result.json").read_text())


def test_trials_are_ordinary_runs(result, capsys):
    assert [trial["state"] for trial in result["trials"]] == ["done"] * 3
    assert sorted(trial["epochs"] for trial in result["trials"]) == [1, 1, 2]
    names = {path.parent.name for path in Path("found").glob("*/run.json")}
    best = max(result["trials"], key=lambda trial: trial["epochs"])["trial"]
    assert names == {
        *(f"trial-{number:04}" for number in range(3)),
        f"trial-{best:04}-step-2",
        f"confirm-{best:04}-seed-0",
        "confirm-default-seed-0",
    }
    assert cli.run(["status", "found/trial-0000"]) == 0


def test_a_trial_has_the_bits_of_the_same_overrides_run_alone(result, capsys):
    facts = json.loads(Path("found/trial-0001/run.json").read_text())
    assert cli.run(["train", "animals.yaml", *facts["overrides"], "--run-dir", "alone", "--no-report"]) == 0
    assert cli.run(["diff", "alone", "found/trial-0001"]) == 0
    tensors = [checkpoint.load(checkpoint.newest(Path(run, "checkpoints")))[0] for run in ("alone", "found/trial-0001")]
    assert all((tensors[0]["model"][name] == tensors[1]["model"][name]).all() for name in tensors[0]["model"])


def test_the_confirmation_is_on_samples_that_no_trial_has_seen(result):
    confirmation = result["confirmation"]
    assert (confirmation["samples"], confirmation["seeds"], confirmation["metric"]) == (20, 1, "accuracy")
    opened = open_run("found/confirm-default-seed-0", device="cpu")
    table = [row.split(",") for row in Path("animals.csv").read_text().splitlines()[1:]]
    texts, labels = zip(*(table[index] for index in opened.splits["val"].confirmation), strict=True)
    predicted = opened.predict(texts).argmax(axis=1)
    correct = [opened.task.classes[code] == label for code, label in zip(predicted, labels, strict=True)]
    assert confirmation["first"] == sum(correct) / 20
    assert confirmation["difference"] == confirmation["second"] - confirmation["first"]
    rows = [line.split(",") for line in Path("found/trial-0000/samples.csv").read_text().splitlines()[1:]]
    held_out = {key for split, key, *_ in rows if split == "val (confirmation)"}
    assert len(held_out) == 20
    for path in Path("found").glob("*/samples.csv"):
        used = {key for split, key, *_ in (line.split(",") for line in path.read_text().splitlines()[1:])
                if split in ("train", "val")}  # fmt: skip
        assert not used & held_out


def test_the_best_file_is_the_experiment_of_the_best_trial(result):
    best = load("found/best.yaml")
    assert best.lr.peak == result["best"]["values"]["lr.peak"]
    assert "# animals" in Path("found/best.yaml").read_text()
    assert "# how fast" in Path("found/best.yaml").read_text()


def test_the_same_command_says_the_same_and_trains_nothing(result, capsys):
    before = {path: path.stat().st_mtime_ns for path in Path("found").glob("*/metrics.jsonl")}
    assert cli.run(["search", "animals.yaml", "-o", "found"]) == 0
    output = capsys.readouterr()
    assert {path: path.stat().st_mtime_ns for path in Path("found").glob("*/metrics.jsonl")} == before
    lines = output.out.splitlines()
    assert "than the unsearched experiment: accuracy" in lines[-1]
    assert "next: ftaug train found/best.yaml" in lines
    assert "epoch" not in output.err
    assert cli.run(["search", "animals.yaml", "-o", "found", "--status"]) == 0
    assert "6 of 6 runs are finished, 0 in training" in capsys.readouterr().out
    assert cli.run(["search", "animals.yaml", "-o", "found", "--status", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["trials"]) == 3


def opened(*overrides):
    return open_search(open_experiment("animals.yaml"), overrides)


def test_a_changed_search_needs_a_folder_of_its_own(result):
    with pytest.raises(ExperimentError) as caught:
        prepare(opened("data.batch_size=16"), Path("found"), extend=True)
    lines = [str(problem) for problem in caught.value.problems]
    assert lines == [
        "found holds another search; name another folder by --output",
        "data.batch_size: 8 → 16",
    ]


@pytest.mark.parametrize(
    ("override", "change"),
    [
        ("lr.peak={search: {log: [1e-5, 0.1]}}", "lr.peak.log.0: 0.0001 → 1e-05"),
        ("search.trials=4", "search.trials: 3 → 4"),
    ],
)
def test_a_wider_search_is_continued_on_request(result, override, change):
    with pytest.raises(ExperimentError) as caught:
        prepare(opened(override), Path("found"), extend=False)
    assert "--extend continues it with these" in str(caught.value)
    assert str(caught.value.problems[1]) == change
    prepare(opened(override), Path("found"), extend=True)
    StudyFolder(Path("found")).describe(opened().description())


@pytest.mark.parametrize("override", ["lr.peak={search: {log: [1e-3, 0.1]}}", "search.trials=2", "search.seeds=2"])
def test_a_narrower_search_is_another_one(result, override):
    with pytest.raises(ExperimentError, match="holds another search"):
        prepare(opened(override), Path("found"), extend=True)


def test_a_file_that_is_edited_meanwhile_stops_the_search(result, tmp_path):
    path = tmp_path / "animals.yaml"
    path.write_text(FILE.replace("animals.csv", str(Path("animals.csv").absolute())))
    search = open_search(open_experiment(path))
    folder = prepare(search, tmp_path / "search", extend=False)

    def train(run):
        path.write_text(path.read_text() + "seed: 3\n")
        trainer(path, "cpu", trust_plugins=False)(run)

    with pytest.raises(ExperimentError, match="has changed since the study started"):
        run_search(search, folder, train, "cpu")


def test_a_search_without_a_complete_trial_is_an_error(result, tmp_path):
    search = opened("search={trials: 2, confirm: null}")
    folder = prepare(search, tmp_path / "search", extend=False)

    def train(run):
        raise ExperimentError("a setting does not fit")

    with pytest.raises(NotReached, match="no trial is complete"):
        run_search(search, folder, train, "cpu")
    assert [run.failure.exit_code for run in folder.runs()] == [2, 2]
