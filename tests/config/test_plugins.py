"""Users' own components, each command in a process of its own."""

import os
import sys
from pathlib import Path

import pytest
from processes import Command

from ftaug.config.plugins import import_plugin, module_name
from ftaug.errors import ExperimentError
from ftaug.experiment_file import load

PLUGIN = '''
import numpy as np
from ftaug.image import augmentation
from ftaug.image.augmentations.transforms import PixelFunction


@augmentation.register
def darken(canvas, rng, *, by: int = 10):
    """Make the picture darker.

    Settings:
        by: how much, of 255
    """
    return PixelFunction(lambda pixels: np.maximum(pixels, by) - np.uint8(by))
'''
EXPERIMENT = """
plugins: [my_ops.py]
data: {train: {digits: {per_class: 3}}, val: {split: 33%}, batch_size: 10, workers: 1}
backbone: {resnet20: {weights: none}}
augment: [{darken: {by: 20}}]
train: {epochs: 1}
"""


def test_a_plugin_trains_and_its_run_folder_needs_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "my_ops.py").write_text(PLUGIN)
    (tmp_path / "own.yaml").write_text(EXPERIMENT)
    trained = Command(["train", "own.yaml"], tmp_path)
    assert trained.wait() == 0, trained.output
    run = tmp_path / trained.output[0].strip()
    (tmp_path / "my_ops.py").unlink()
    evaluated = Command(["evaluate", str(run), "--json"], tmp_path)
    assert evaluated.wait() == 0, evaluated.output
    assert [path.read_text() for path in (run / "plugins").iterdir()] == [PLUGIN]


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="gives a file to another user")
def test_plugins_in_another_users_run_folder_are_not_imported(tmp_path: Path) -> None:
    (tmp_path / "my_ops.py").write_text("open('imported', 'w').close()")
    (tmp_path / "resolved.yaml").write_text(EXPERIMENT)
    os.chown(tmp_path / "resolved.yaml", 12345, 12345)
    with pytest.raises(ExperimentError, match=r"belongs to another user .* use --trust-plugins"):
        load(tmp_path / "resolved.yaml")
    assert not (tmp_path / "imported").exists()


def test_a_plain_path_is_relative_to_the_experiment_file(tmp_path: Path) -> None:
    text = "from pathlib import Path\nfrom ftaug.image import dataset\n\n\n@dataset.register\n"
    text += (
        'def of_a_path(split, *, path: Path):\n    """Read a file.\n\n    Settings:\n        path: the file\n    """\n'
    )
    (tmp_path / "of_a_path.py").write_text(text)
    (tmp_path / "a.yaml").write_text(
        "plugins: [of_a_path.py]\ndata: {train: {of_a_path: {path: x.npz}}}\nbackbone: resnet20\n"
    )
    assert load(tmp_path / "a.yaml").data.train.settings == {"path": tmp_path / "x.npz"}


def test_a_copy_in_a_run_folder_is_the_same_plugin(tmp_path: Path) -> None:
    """The same command is repeated on a complete run, whose folder has a copy that registers the same names."""
    text = f"open({str(tmp_path / 'imports')!r}, 'a').write('x')\n"
    for folder, content in (("a", text), ("b", text), ("c", f"{text}OTHER = 1\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "plugin.py").write_text(content)
        import_plugin(str(tmp_path / folder / "plugin.py"))
    first, second, other = (module_name(str(tmp_path / folder / "plugin.py")) for folder in "abc")
    assert sys.modules[first] is sys.modules[second] is not sys.modules[other]
    assert (tmp_path / "imports").read_text() == "xx"


def test_copies_of_a_plugin_are_one_plugin(tmp_path: Path) -> None:
    """A complete run is read with its own copy of a plugin, beside that of the experiment."""
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "my_ops.py").write_text(PLUGIN.replace("darken", "darken_copies"))
        (tmp_path / name / "own.yaml").write_text(EXPERIMENT.replace("darken", "darken_copies"))
    one, other = (load(tmp_path / name / "own.yaml") for name in ("one", "other"))
    assert one.augment == other.augment
    (tmp_path / "other" / "my_ops.py").write_text(PLUGIN.replace("darken", "darken_copies") + "\n")
    (tmp_path / "third").mkdir()
    for name in ("my_ops.py", "own.yaml"):
        (tmp_path / "third" / name).write_text((tmp_path / "other" / name).read_text())
    with pytest.raises(ExperimentError, match="already exists"):
        load(tmp_path / "third" / "own.yaml")
