"""`ftaug augment` writes what training would see, once, whatever happens to it on the way."""

import csv
import errno
import json
import os
import signal
import time
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from kinds import Pictures, Texts, rows
from PIL import Image
from processes import Command, commands_of_ranks, in_child

from ftaug.cli import run
from ftaug.engine.loading import augmented_copies
from ftaug.engine.loading.augmented_copies import CHUNK, As, Copies
from ftaug.engine.loading.prepare import prepare_split
from ftaug.engine.loading.split import load_splits
from ftaug.experiment_file import load
from ftaug.image.datasets.folder import image_folder
from ftaug.image.datasets.table import image_table
from ftaug.interfaces.data import Task
from ftaug.runs.augmented_dataset import folder_names, lock
from ftaug.runs.write_augmented import compute_digest


@pytest.fixture(autouse=True)
def _importable(texts_importable):
    """Workers that are spawned import the plugin."""


@pytest.fixture(params=[Pictures, Texts])
def kind(request, tmp_path, text_desk):
    return request.param(tmp_path, text_desk)


@pytest.fixture
def experiment(kind):
    return kind.experiment


@pytest.fixture
def pictures(tmp_path, text_desk):
    """The experiment of what only pictures have."""
    return Pictures(tmp_path, text_desk).experiment


@pytest.fixture
def texts(tmp_path, text_desk):
    return Texts(tmp_path, text_desk).experiment


def augment(experiment, *arguments, output="out"):
    path = experiment.parent / output
    return run(["augment", str(experiment), *arguments, "--output", str(path)]), path


def manifest(path):
    return json.loads((path / "augment.json").read_text())


def content(path):
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*.*")) if file.is_file()}


SLOW = """
import time
from ftaug.runs import augmented_dataset
write = augmented_dataset.AugmentedDataset.write
augmented_dataset.AugmentedDataset.write = lambda *each: time.sleep(0.01) or write(*each)
"""

FULL = """
import errno, itertools
from ftaug.engine.loading.augmented_copies import CHUNK
from ftaug.runs import augmented_dataset
opened, numbers = augmented_dataset.open_inside, itertools.count(1)
def full(file, flags):
    if rank == 1 and file.suffix == ".png" and next(numbers) == CHUNK + 2:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
    return opened(file, flags)
augmented_dataset.open_inside = full
"""


def training_data(experiment, *overrides):
    loaded = load(experiment, overrides)
    train = load_splits(loaded.data, loaded.seed)["train"]
    return prepare_split(loaded, train, loaded.augment, loaded.backbone(train.task.classes).preprocessing)


def digest(experiment, capsys, *arguments):
    capsys.readouterr()
    assert run(["augment", str(experiment), "--hash", *arguments]) == 0
    return capsys.readouterr().out.strip()


@pytest.mark.parametrize("format", ["folder", "table"])
def test_the_copies_are_what_training_sees(kind, experiment, capsys, format):
    code, path = augment(experiment, "--copies", "3", "--format", format)
    assert (code, capsys.readouterr().out) == (0, f"{path}\n")
    data = training_data(experiment)
    written = rows(path)
    assert len(written) == 3 * len(data.split) == 3 * 18
    position = {str(sample): place for place, sample in enumerate(data.split.ids)}
    for row in written:
        (seen,), _ = data.sample(position[row["sample"]], int(row["copy"]))
        assert kind.same(path, row, seen, data)
        assert row["source"] == data.split.samples.name(int(row["sample"]))
        assert kind.label_of(row["source"]) == row["label"]
        assert format == "table" or Path(row["path"]).parent.name == row["label"]
        assert row["seed"] == "3"


def test_validation_samples_are_not_used(experiment):
    _, path = augment(experiment)
    loaded = load(experiment)
    val = load_splits(loaded.data, loaded.seed)["val"]
    assert {row["source"] for row in rows(path)}.isdisjoint(val.names())


def test_image_folder_reads_the_folders(pictures):
    _, path = augment(pictures, "--copies", "2")
    samples = image_folder("train", path=path)
    assert samples.task.classes == ("cat", "dog", "left arrow")
    assert Counter(samples.targets.tolist()) == {0: 12, 1: 18, 2: 6}


def test_image_table_reads_the_table(pictures):
    _, path = augment(pictures, "--format", "table")
    samples = image_table("train", path=path / "provenance.csv")
    assert samples.task.classes == ("cat", "dog", "left arrow")
    labels = {row["path"]: row["label"] for row in rows(path)}
    for index in range(len(samples)):
        relative = str(Path(samples.name(index)).relative_to(path))
        assert labels[relative] == samples.task.classes[samples.targets[index]]


def test_several_labels_are_read_again(pictures):
    photos = sorted((pictures.parent / "photos").rglob("*.png"))
    lines = [f"{file},{'round|red' if i % 3 == 0 else 'red' if i % 3 == 1 else ''}" for i, file in enumerate(photos)]
    (pictures.parent / "t.csv").write_text("path,label\n" + "\n".join(lines).replace(f"{pictures.parent}/", ""))
    table = 'data.train={image_table: {path: t.csv, labels_separator: "|"}}'
    settings = (table, "loss=binary_cross_entropy", "evaluate.metrics=[f1]", "evaluate.best=f1")
    assert augment(pictures, *settings)[0] == 2, "folders hold one label each"
    code, path = augment(pictures, *settings, "--format", "table", output="several")
    assert code == 0
    source = training_data(pictures, *settings).split
    samples = image_table("train", path=path / "provenance.csv", labels_separator=manifest(path)["labels_separator"])
    assert samples.task == source.task
    np.testing.assert_array_equal(samples.targets, source.targets)


def test_the_digest_is_the_same_however_it_is_made(kind, experiment, capsys):
    one = digest(experiment, capsys, "--copies", "2")
    assert len(one) == 64
    assert one == digest(experiment, capsys, "--copies", "2", "--workers", "1")
    assert one == digest(experiment, capsys, "--copies", "2", "--workers", "2")
    data = training_data(experiment)
    numbers = augmented_copies.numbers(data.split, 2, balance=False)
    assert one == compute_digest(Copies(data, As.DIGEST), numbers, 1, start="spawn")
    for format in ("folder", "table"):
        _, path = augment(experiment, "--copies", "2", "--workers", "1", "--format", format, output=format)
        assert manifest(path)["complete"] == {"samples": 36, "digest": one}
    assert one != digest(experiment, capsys, "--copies", "2", "seed=4")
    assert one != digest(experiment, capsys, "--copies", "3")
    assert sorted(entry.name for entry in experiment.parent.iterdir()) == sorted(["folder", "table", *kind.files])


def test_what_an_op_draws_does_not_depend_on_the_others(kind, experiment):
    _, whole = augment(experiment, "--copies", "4")
    _, fewer = augment(experiment, "--copies", "4", "~augment.0", output="fewer")
    some = 0
    for one, other in zip(rows(whole), rows(fewer), strict=True):
        drawn, without = json.loads(one["drawn"]), json.loads(other["drawn"])
        some += drawn.pop(kind.sometimes, None) is not None
        assert drawn == without
        assert set(drawn) == kind.always
        assert all(drawn.values()), "each tells what it drew"
    assert 0 < some < 72


def lines(path):
    """Of the table, its heading included."""
    table = path / "provenance.csv"
    return table.read_bytes().count(b"\r\n") if table.is_file() else 0


@pytest.mark.parametrize(
    ("kind", "number", "code"),
    [
        (Pictures, signal.SIGKILL, -9),
        (Pictures, signal.SIGTERM, 75),
        (Pictures, signal.SIGINT, 130),
        (Texts, signal.SIGKILL, -9),
        (Texts, signal.SIGTERM, 75),
    ],
    indirect=["kind"],
)
def test_continues_after_a_kill_and_ends_as_if_never_stopped(experiment, number, code):
    _, whole = augment(experiment, "--copies", "60", "--format", "table", output="whole")
    path = experiment.parent / "killed"
    command = Command(
        ["augment", str(experiment), "--copies", "60", "--format", "table", "--workers", "1", "--output", str(path)]
    )
    while lines(path) < 20 and command.poll() is None:
        time.sleep(0.01)
    assert command.kill(number) == code, command.output
    there, count = {file: file.stat().st_mtime_ns for file in (path / "files").glob("[0-9]*")}, lines(path)
    if number != signal.SIGKILL:
        assert 20 <= count <= 18 * 60
        assert "the same command continues" in command.output[1]
    assert augment(experiment, "--copies", "60", "--format", "table", output="killed")[0] == 0
    kept = [file for file, modified in there.items() if file.stat().st_mtime_ns == modified]
    assert len(kept) >= len(there) - CHUNK, "the files of a chunk may have been written and not their rows"
    assert content(path) == content(whole)


@pytest.mark.parametrize(("kind", "format"), [(Pictures, "folder"), (Texts, "table")], indirect=["kind"])
def test_several_processes_write_the_same_bytes(kind, experiment, tmp_path, format):
    _, whole = augment(experiment, "--copies", "3", "--format", format, output="whole")
    for size, workers in ((2, "1"), (3, "0")):
        path = tmp_path / f"by-{size}"
        arguments = ["augment", str(experiment), "--copies", "3", "--format", format, "--workers", workers]
        commands = commands_of_ranks(size, [*arguments, "--output", str(path)], tmp_path)
        assert [command.wait() for command in commands] == [0] * size, commands[0].output
        assert [command.output[0] for command in commands] == [f"{path}\n", *[""] * (size - 1)]
        assert content(path) == content(whole)


def test_several_processes_have_the_digest_of_one(experiment, capsys, tmp_path):
    arguments = ["augment", str(experiment), "--copies", "2", "--hash"]
    commands = commands_of_ranks(2, arguments, tmp_path)
    assert [command.wait() for command in commands] == [0, 0]
    assert commands[0].output[0].strip() == digest(experiment, capsys, "--copies", "2")


@pytest.mark.parametrize(
    ("rank", "number", "codes"),
    [
        (1, signal.SIGKILL, [69, -9]),
        pytest.param(0, signal.SIGKILL, [-9, 69], marks=pytest.mark.slow),
        (1, signal.SIGTERM, [75, 75]),
    ],
)
def test_other_numbers_of_processes_continue(pictures, tmp_path, rank, number, codes):
    arguments = ["augment", str(pictures), "--copies", "20", "--format", "table"]
    whole, path = tmp_path / "whole", tmp_path / "killed"
    assert run([*arguments, "--output", str(whole)]) == 0
    commands = commands_of_ranks(2, [*arguments, "--output", str(path)], tmp_path, SLOW)
    while lines(path) < 40 and commands[0].poll() is None:
        time.sleep(0.01)
    commands[rank].kill(number)
    assert [command.wait() for command in commands] == codes, [command.output for command in commands]
    assert 40 <= lines(path) < 360
    if number == signal.SIGTERM:
        stopped = f"stopped by SIGTERM with {lines(path) - 1} of 360 copies in {path}; the same command continues"
        assert stopped in commands[0].output[1]
    commands = commands_of_ranks(3, [*arguments, "--output", str(path)], tmp_path)
    assert [command.wait() for command in commands] == [0, 0, 0], commands[0].output
    assert content(path) == content(whole)


def test_a_full_disk_of_one_process_ends_all(pictures, tmp_path):
    arguments = ["augment", str(pictures), "--copies", "3", "--format", "table", "--output"]
    path, whole = tmp_path / "full", tmp_path / "whole"
    commands = commands_of_ranks(2, [*arguments, str(path)], tmp_path, FULL)
    assert [command.wait() for command in commands] == [69, 74]
    assert "0000004-001.png: No space left on device" in commands[1].output[1]
    assert "free some space" in commands[1].output[1]
    assert lines(path) - 1 == 2 * CHUNK + CHUNK + 1, "the copies before the one that could not be written"
    assert manifest(path)["complete"] is None
    assert run([*arguments, str(path)]) == run([*arguments, str(whole)]) == 0
    assert content(path) == content(whole)


def test_a_sample_that_one_process_cannot_read_ends_all(pictures, tmp_path):
    """The copies before it are those that a single process would have written."""
    broken = sorted((tmp_path / "photos" / "dog").iterdir())[-1]
    broken.write_bytes(broken.read_bytes()[:100])
    arguments = ["augment", str(pictures), "--copies", "3", "--format", "table", "--output"]
    assert run([*arguments, str(tmp_path / "alone")]) == 65
    commands = commands_of_ranks(2, [*arguments, str(tmp_path / "both")], tmp_path)
    codes = [command.wait() for command in commands]
    assert sorted(codes) == [65, 69]
    assert str(broken) in commands[codes.index(65)].output[1]
    assert rows(tmp_path / "both") == rows(tmp_path / "alone") != []


def test_a_full_disk_is_said_and_the_rest_follows(kind, experiment, capsys, monkeypatch):
    with monkeypatch.context() as patched:
        kind.fill_disk(patched)
        code, path = augment(experiment, "--copies", "2", "--format", "folder")
    assert code == 74
    assert "free some space" in capsys.readouterr().err
    assert manifest(path)["complete"] is None
    assert augment(experiment, "--copies", "2")[0] == 0
    augment(experiment, "--copies", "2", output="whole")
    assert content(path) == content(experiment.parent / "whole")


def test_temporary_files_of_a_killed_process_are_deleted(texts):
    _, path = augment(texts, "--format", "table")
    before = content(path)
    (path / ".tmp-augment.json-123456").write_text('{"experi')
    assert augment(texts, "--format", "table")[0] == 0
    assert content(path) == before


def test_a_disk_without_room_for_the_folder_is_full(texts, capsys, monkeypatch):
    def full(path, *arguments, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(Path, "mkdir", full)
    code, path = augment(texts)
    assert code == 74
    assert f"{path}: No space left on device; free some space" in capsys.readouterr().err


@pytest.mark.parametrize("format", ["folder", "table"])
def test_what_was_changed_is_written_anew(kind, experiment, format):
    _, path = augment(experiment, "--format", format)
    before = content(path)
    kind.damage(path)
    assert content(path) != before
    assert augment(experiment, "--format", format)[0] == 0
    assert content(path) == before


def test_balance_gives_every_class_as_many(experiment, capsys):
    code = run(["augment", str(experiment), "--copies", "2", "--per-class", "balance", "--json", "-o", "x"])
    said = json.loads(capsys.readouterr().out)
    assert code == 0
    assert said["labels"] == {"cat": 18, "dog": 18, "left arrow": 18}
    _, path = augment(experiment, "--copies", "2", "--per-class", "balance")
    samples = Counter((row["label"], row["sample"]) for row in rows(path))
    for label in said["labels"]:
        numbers = [count for (of, _), count in samples.items() if of == label]
        assert max(numbers) - min(numbers) <= 1


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_flip_that_swaps_classes_writes_the_other_class(pictures):
    swap = "augment=[{horizontal_flip: {label_map: {cat: dog}}}]"
    _, path = augment(pictures, swap, "--copies", "4")
    swapped = 0
    for row in rows(path):
        source, flipped = Path(row["source"]).parent.name, "horizontal_flip" in json.loads(row["drawn"])
        other = {"cat": "dog", "dog": "cat"}.get(source, source)
        assert row["label"] == Path(row["path"]).parent.name == (other if flipped else source)
        swapped += row["label"] != source
    assert swapped > 10


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "--output"),
        (["-o", "empty/../full"], 73, "is not empty"),
        (["--copies", "0", "-o", "x"], 2, "--copies"),
        (["{unknown_setting}", "-o", "x"], 2, "did you mean"),
    ],
    ids=str,
)
def test_refusals(kind, experiment, capsys, arguments, code, words):
    (experiment.parent / "empty").mkdir()
    (experiment.parent / "full").mkdir()
    (experiment.parent / "full" / "letter.txt").write_text("mine")
    arguments = [argument.replace("{unknown_setting}", kind.unknown_setting) for argument in arguments]
    assert run(["augment", str(experiment), *arguments]) == code
    assert words in capsys.readouterr().err
    assert not (experiment.parent / "x").exists()


def test_a_class_that_is_not_there_is_refused(pictures, capsys):
    assert augment(pictures, "augment.0.horizontal_flip.except=[catt]")[0] == 2
    assert "no class 'catt'; did you mean 'cat'?" in capsys.readouterr().err


def test_the_folder_of_another_experiment_is_refused(experiment, capsys):
    _, path = augment(experiment)
    before = content(path)
    assert augment(experiment, "seed=9")[0] == 2
    assert "another experiment" in capsys.readouterr().err
    assert augment(experiment, "--copies", "2")[0] == 2
    assert "copies 1 → 2" in capsys.readouterr().err
    assert content(path) == before


def test_a_folder_in_use_is_refused(experiment, capfd):
    _, path = augment(experiment)
    held = lock(path)
    assert in_child(lambda: augment(experiment)[0]) == 73
    held.release()
    assert "another --output" in capfd.readouterr().err


def test_what_may_change_a_class_is_said(pictures, capsys):
    augment(pictures, "mix=mixup")
    said = capsys.readouterr().err
    assert "caution: augment.0.horizontal_flip may turn 'left arrow' into its opposite" in said
    assert "mix: mixup is not applied" in said


def test_texts_stand_in_the_table_as_they_are(texts, capsys):
    nasty = [
        "a,b\r\nc",
        '"quoted"',
        "\rlone\r",
        "tab\tand\0nul",
        "",
        " spaces ",
        "猫 🙂",
        "\ufeffmark",
        "cat " * 50_000,
    ]
    lines = [{"label": "odd" if i % 2 else "even", "text": text} for i, text in enumerate(nasty)]
    (texts.parent / "texts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    settings = ("augment=[]", "data.val=null", "--format", "table")
    code, path = augment(texts, *settings)
    assert code == 0, capsys.readouterr().err
    csv.field_size_limit(2**31 - 1)
    assert [(row["text"], row["label"]) for row in rows(path)] == [(line["text"], line["label"]) for line in lines]
    before = (path / "provenance.csv").stat()
    with (path / "provenance.csv").open(newline="") as file:
        assert next(csv.reader(file))[:2] == ["text", "label"]
    assert augment(texts, *settings)[0] == 0
    assert (path / "provenance.csv").stat().st_size == before.st_size
    _, folder = augment(texts, "augment=[]", "data.val=null", output="folder")
    written = {row["source"]: (folder / row["path"]).read_bytes().decode() for row in rows(folder)}
    assert [written[f"texts.jsonl:{i + 1}"] for i in range(len(nasty))] == nasty


def test_pairs_of_texts_take_two_columns_and_no_folder(texts, capsys):
    pairs = [("is it a cat", "yes it is", "yes"), ("is it a dog", "it is the cat", "no")] * 4
    lines = [{"label": label, "text": first, "text_2": second} for first, second, label in pairs]
    (texts.parent / "texts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert augment(texts, output="none")[0] == 2
    assert "a sample has several parts (text, text_2); use --format table" in capsys.readouterr().err
    assert not (texts.parent / "none").exists()
    assert len(digest(texts, capsys)) == 64
    code, path = augment(texts, "--format", "table", "augment=[shout: {share: 1.0}]")
    assert code == 0
    source = {f"texts.jsonl:{i + 1}": (first.upper(), second.upper()) for i, (first, second, _) in enumerate(pairs)}
    assert all((row["text"], row["text_2"]) == source[row["source"]] for row in rows(path))
    assert set(json.loads(rows(path)[0]["drawn"])) == {"shout", "second of the pair: shout"}


def test_texts_with_several_labels_are_joined_by_what_the_manifest_says(texts):
    lines = [{"label": [["red", "round|ish"], ["red"], []][i % 3], "text": f"text {i}"} for i in range(12)]
    (texts.parent / "texts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    settings = ("loss=binary_cross_entropy", "evaluate.metrics=[f1]", "evaluate.best=f1", "--format", "table")
    code, path = augment(texts, "augment=[]", "data.val=null", *settings)
    separator = manifest(path)["labels_separator"]
    assert (code, separator) == (0, ";")
    assert [[x for x in row["label"].split(separator) if x] for row in rows(path)] == [x["label"] for x in lines]


@pytest.mark.parametrize(
    "classes",
    [
        ("a/b", "..", ".hidden", "con.", " x ", "50%", "a:b", 'he said "no"'),
        ("Cat", "cat", "CAT"),
        ("caf\u00e9", "cafe\u0301"),
        ("日本", "ß", "emoji 🙂", "tab\there"),
    ],
    ids=str,
)
def test_the_names_of_folders_lead_back_to_the_classes(classes, tmp_path):
    names = folder_names(Task(classes))
    assert [unquote(names[name]) for name in classes] == list(classes)
    assert len({name.casefold() for name in names.values()}) == len(classes)
    for name in names.values():
        (tmp_path / "set" / name).mkdir(parents=True)
        Image.new("RGB", (4, 4)).save(tmp_path / "set" / name / "1.png")
    assert {unquote(name) for name in image_folder("train", path=tmp_path / "set").task.classes} == set(classes)
