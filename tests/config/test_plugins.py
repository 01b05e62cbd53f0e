"""Users' own components, through the real command line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

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
data: {train: {digits: {per_class: 2}}, val: {digits: {per_class: 1}}, batch_size: 10, workers: 1}
backbone: {resnet20: {weights: none}}
augment: [{darken: {by: 20}}]
train: {epochs: 1}
"""


def ftaug(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = [sys.executable, "-c", "from ftaug.cli import main; main()", *arguments]
    return subprocess.run(code, cwd=folder, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})


def test_a_plugin_trains_and_its_run_folder_needs_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "my_ops.py").write_text(PLUGIN)
    (tmp_path / "own.yaml").write_text(EXPERIMENT)
    trained = ftaug(tmp_path, "train", "own.yaml")
    assert trained.returncode == 0, trained.stderr
    run = tmp_path / trained.stdout.strip()
    (tmp_path / "my_ops.py").unlink()
    evaluated = ftaug(tmp_path, "evaluate", str(run), "--json")
    assert evaluated.returncode == 0, evaluated.stderr
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
