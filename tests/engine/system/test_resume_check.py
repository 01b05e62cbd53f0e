"""The settings in which an experiment differs from that of a run folder, as the error lists them."""

import pytest

from ftaug.engine.system.resume_check import LISTED, changes, differences, same_settings

RESOLVED = "train:\n  epochs: 3\naugment:\n- rotate:\n    degrees: 15.0\nmix: null\n"


@pytest.fixture
def run(tmp_path):
    (tmp_path / "resolved.yaml").write_text(RESOLVED)
    return tmp_path


def test_settings_that_differ_are_listed_with_both_values(run):
    other = "train: {epochs: 5}\naugment:\n- rotate:\n    degrees: 15.0\n- grayscale: {}\nseed: 1\nmix: null\n"
    head, *rows = differences(run, other)
    assert head == f"{run} holds another experiment: use --fresh or another --run-dir"
    assert sorted(rows) == ["augment.1.grayscale: not set → {}", "seed: not set → 1", "train.epochs: 3 → 5"]
    assert not same_settings(run, other)


def test_the_same_settings_in_another_notation(run):
    other = "mix: null\naugment: [{rotate: {degrees: 15.0}}]\ntrain: {epochs: 3}\n"
    assert same_settings(run, other)
    (line,) = differences(run, other)
    assert "the settings are the same" in line and f"`ftaug train {run}`" in line


def test_a_long_list_is_cut(run):
    (run / "resolved.yaml").write_text("{}")
    _, *rows = differences(run, "".join(f"k{i}: {i}\n" for i in range(100)))
    assert len(rows) == LISTED + 1
    assert rows[-1] == f"and {100 - LISTED} more"


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("data: {workers: 2}", "data: {workers: 4}", True),
        ('data: {train: {image_folder: {path: "/a"}}}', 'data: {train: {image_folder: {path: "/b"}}}', True),
        ('backbone: {resnet18: {weights: "/a"}}', 'backbone: {resnet18: {weights: "/b"}}', False),
        ("data: {train: {image_folder: {path: a}}}", "data: {train: {image_folder: {path: b}}}", False),
        ("seed: 1", "seed: 1.0", False),
    ],
)
def test_workers_and_the_place_of_the_data_may_change(run, before, after, same):
    (run / "resolved.yaml").write_text(before)
    assert same_settings(run, after) is same


def test_a_file_that_cannot_be_read_is_not_the_same(run):
    (run / "resolved.yaml").write_text("a: [")
    assert not same_settings(run, RESOLVED)
    assert not same_settings(run / "nowhere", RESOLVED)
    (line,) = differences(run, RESOLVED)
    assert "holds another experiment" in line and "resolved.yaml" in line


def test_loggers_may_change():
    assert changes({"loggers.0": '"csv"', "loggers.1.wandb.project": '"a"'}, {"loggers": "[]"}) == {}
    assert changes({"loss": '"mse"'}, {"loss": '"mae"'}) == {"loss": ('"mse"', '"mae"')}
