"""`ftaug train --from RUN`: nothing is measured on samples that the weights were trained on."""

import shutil
from contextlib import redirect_stderr
from io import StringIO

import pytest
from run_files import noise

from ftaug.cli import run
from ftaug.engine.loading.data_record import read_rows
from ftaug.engine.loading.split import load_splits
from ftaug.experiment_file import load


def train(desk, folder, *overrides):
    return run(["train", str(desk / "colors.yaml"), "--run-dir", str(folder), "--device", "cpu", *overrides])


def held_out(folder):
    return {row.key for row in read_rows(folder / "samples.csv") if row.split == "val"}


@pytest.fixture(scope="module")
def second(desk, tmp_path_factory):
    """A run with another seed from the weights of the first, where pictures have come since."""
    folder = tmp_path_factory.mktemp("from")
    shutil.copytree(desk / "photos", folder / "photos")
    shutil.copy(desk / "colors.yaml", folder)
    assert train(folder, folder / "first", "train.epochs=1") == 0
    for number in range(3):
        noise(0, seed=number + 7000).save(folder / "photos" / "train" / "red" / f"new {number}.png")
    options = ["--from", str(folder / "first"), "seed=1", "train.epochs=1"]
    with redirect_stderr(StringIO()) as said:
        assert train(folder, folder / "second", *options) == 0
    (folder / "said.txt").write_text(said.getvalue())
    return folder


def test_another_seed_validates_on_what_the_first_run_held_out(second):
    first, other = held_out(second / "first"), held_out(second / "second")
    assert len(first) == 18 and first == other
    of_seed = load_splits(load(second / "colors.yaml").data, seed=1)["val"]
    assert len(first & {of_seed.samples.key(index) for index in of_seed.ids}) < 9  # the others were trained on
    rows = [*read_rows(second / "second" / "samples.csv")]
    assert sum(row.split == "train" for row in rows) == 45
    said = "".join((second / "said.txt").read_text().split())
    assert f"val: the split of {second / 'first'}, which these weights come from".replace(" ", "") in said


def test_a_split_of_another_share_is_an_error_that_knows_what_the_first_run_learned(second, capsys):
    options = ["--from", str(second / "second"), "seed=2", "data.val={split: 40%}"]
    assert train(second, second / "third", *options) == 2
    error = " ".join(capsys.readouterr().err.split())
    assert f"of 25 samples, such as {second}/photos/train/" in error
    assert f"are among those that the weights of {second / 'second'} were trained on" in error
    assert "hold out what that run held out (seed=1 'data.val={split: 0.3}'), or use other samples" in error
    assert (second / "second" / "earlier_samples.csv").read_text().count("\n") == 1 + 42


def test_folds_do_not_start_from_weights_that_saw_their_samples(second, capsys):
    options = ["--from", str(second / "first"), "--folds", "3"]
    assert train(second, second / "folds", *options) == 2
    assert "samples, such as" in capsys.readouterr().err


def test_a_teacher_that_saw_the_validation_samples_is_a_caution(second, capsys):
    teacher = f"distillation={{teacher: {second / 'first'}}}"
    assert train(second, second / "student", "seed=3", "train.epochs=1", teacher) == 0
    said = "".join(capsys.readouterr().err.split())
    assert f"are among those that the teacher {second / 'first'} was trained on".replace(" ", "") in said
