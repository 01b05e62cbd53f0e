"""Former names: an error that shows the present one in a user's file, translated in the file of a run folder."""

import pytest

from ftaug.config.renamed import KEYS
from ftaug.errors import ExperimentError
from ftaug.experiment_file import load

SMALLEST = {"data": {"train": "digits"}, "backbone": "resnet20"}
RENAMED_KEYS = {
    "distil": ("{teacher: teacher}", "distillation"),
    "data.augment_on": ("cpu", "data.augment_device"),
    "evaluate.views": ("ten_crop", "evaluate.tta"),
    "train.accumulate": ("2", "train.gradient_accumulation"),
}
"""Former key, a value, and the present key."""


def lines(tree, indent=""):
    """A tree as YAML, one key a line."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield f"{indent}{key}:\n"
            yield from lines(value, f"{indent}  ")
        else:
            yield f"{indent}{key}: {value}\n"


@pytest.fixture
def write(tmp_path):
    """Write the smallest experiment with one more setting."""

    def write(name, key, value):
        section, _, last = key.rpartition(".")
        tree = {name: dict(item) if isinstance(item, dict) else item for name, item in SMALLEST.items()}
        (tree.setdefault(section, {}) if section else tree)[last] = value
        (tmp_path / name).write_text("".join(lines(tree)))
        return tmp_path / name

    return write


def test_every_renamed_key_has_a_case():
    assert RENAMED_KEYS.keys() | {"train.tensorboard"} == KEYS.keys()


@pytest.mark.parametrize("key", RENAMED_KEYS)
def test_a_former_key_in_a_users_file_is_an_error_with_the_present_one(write, key):
    value, present = RENAMED_KEYS[key]
    with pytest.raises(
        ExperimentError, match=rf"unknown key '{key.rpartition('.')[2]}'.*; it was renamed to '{present}'"
    ):
        load(write("mine.yaml", key, value))
    with pytest.raises(ExperimentError, match=rf"it was renamed to '{present}'"):
        load(write("mine.yaml", "seed", 1), [f"{key}={value}"])
    with pytest.raises(ExperimentError, match=rf"{key} is not set; it was renamed to '{present}'"):
        load(write("mine.yaml", present, value), [f"~{key}"])


@pytest.mark.parametrize("key", RENAMED_KEYS)
def test_a_former_key_in_a_run_folder_is_read_as_the_present_one(write, key):
    value, present = RENAMED_KEYS[key]
    current = write("mine.yaml", present, value)
    assert load(write("resolved.yaml", key, value)) == load(current, ["name=resolved"])
    assert load(write("resolved.yaml", key, value)) != load(write("mine.yaml", "seed", 0), ["name=resolved"])
    with pytest.raises(ExperimentError) as error:
        load(write("resolved.yaml", key, "[wrong]"))
    assert f"{present} must be" in str(error.value)


def test_tensorboard_is_a_logger(write):
    with pytest.raises(ExperimentError, match=r"unknown key 'tensorboard' in train; it was renamed to 'loggers'"):
        load(write("mine.yaml", "train.tensorboard", "true"))
    assert [each.name for each in load(write("resolved.yaml", "train.tensorboard", "true")).loggers] == ["tensorboard"]
    assert load(write("resolved.yaml", "train.tensorboard", "false")).loggers == ()
