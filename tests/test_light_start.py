"""Commands that build nothing start quickly: they do not import what is slow to import."""

import json
import subprocess
import sys
from pathlib import Path

import predictions
import pytest
import sound_networks as networks
from evaluated_runs import write_run
from PIL import Image
from sounds import write_classes

ROOT = Path(__file__).parents[1]
HEAVY = {
    "torch",
    "torchvision",
    "timm",
    "transformers",
    "sklearn",
    "scipy",
    "matplotlib",
    "torchmetrics",
    "onnx",
    "onnxruntime",
}

PROGRAM = """
import atexit, json, sys
packages = lambda: sorted({name.partition(".")[0] for name in sys.modules})
atexit.register(lambda: print("\\nMODULES", json.dumps(packages()), file=sys.stderr))
sys.argv = ["ftaug", *sys.argv[1:]]
from ftaug.cli import main
main()
"""


def modules_of(*arguments: str, folder: Path) -> tuple[subprocess.CompletedProcess[str], set[str]]:
    """Run the command in a fresh interpreter; return how it ended and the packages that it had imported."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], cwd=folder, capture_output=True, text=True, timeout=60
    )
    marks = [line for line in done.stderr.splitlines() if line.startswith("MODULES ")]
    return done, set(json.loads(marks[-1].removeprefix("MODULES ")))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["train", "--help"],
        ["evaluate", "--help"],
        ["list"],
        ["list", "augmentation"],
        ["list", "backbone", "resnet18"],
        ["schema"],
        ["validate", str(ROOT / "configs" / "quickstart.yaml")],
    ],
    ids=" ".join,
)
def test_does_not_import_heavy_packages(arguments, tmp_path):
    done, modules = modules_of(*arguments, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not modules & HEAVY


def test_completion_does_not_import_heavy_packages(tmp_path, monkeypatch):
    monkeypatch.setenv("_FTAUG_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "ftaug train --tim")
    monkeypatch.setenv("COMP_CWORD", "2")
    done, modules = modules_of(folder=tmp_path)
    assert done.stdout.split() == ["--timestamps"]
    assert not modules & HEAVY


def test_a_task_that_nothing_fits_is_found_without_heavy_packages(tmp_path):
    text = (
        "data: {train: {text_table: {path: a.csv, target: stars}}}\nmodality: text\nbackbone: tiny_text\nloss: focal\n"
    )
    (tmp_path / "a.yaml").write_text(text)
    done, modules = modules_of("validate", "a.yaml", folder=tmp_path)
    assert done.returncode == 2
    assert "a.yaml:4:7: loss: focal is for one class a sample" in done.stderr
    assert not modules & HEAVY


def test_compare_reads_records_without_heavy_packages(tmp_path):
    for name, epochs in (("short", 1), ("long", 2)):
        write_run(tmp_path / name, predictions.single_label(), train={"epochs": epochs})
    done, modules = modules_of("compare", "short", "long", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "accuracy" in done.stdout
    assert not modules & HEAVY


def test_init_does_not_import_heavy_packages(tmp_path):
    for label in ("cat", "dog"):
        folder = tmp_path / "photos" / label
        folder.mkdir(parents=True)
        Image.new("RGB", (96, 96)).save(folder / "1.png")
    (tmp_path / "photos.csv").write_text("path,label\nphotos/cat/1.png,cat\nphotos/dog/1.png,dog\n")
    for data in ("photos", "photos.csv"):
        done, modules = modules_of("init", data, "-o", f"{data}.yaml", "--backbone", "timm/resnet18", folder=tmp_path)
        assert done.returncode == 0, done.stderr
        assert not modules & HEAVY


def test_init_with_a_network_of_transformers_reads_its_files_alone(tmp_path):
    write_classes(tmp_path / "tones", count=2)
    networks.write(tmp_path / "network", "ast")
    done, modules = modules_of("init", "tones", "--backbone", "./network", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not modules & HEAVY


def test_a_heavy_import_would_be_seen(tmp_path):
    """The checks above are worth what their reading of the modules is."""
    program = PROGRAM.replace("import atexit", "import sklearn, atexit", 1)
    done = subprocess.run(
        [sys.executable, "-c", program, "--help"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert '"sklearn"' in done.stderr.splitlines()[-1]
