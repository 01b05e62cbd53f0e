"""The scripts beside exports, run as users run them: on files, by the packages that they name and no others."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from clean_environment import link_packages, run_clean
from export_cases import TASK, TEXTS, of_image, of_text, of_timm, tokens
from odd_pictures import odd_pictures
from torch import nn

from ftaug.components.exporters import exporters  # noqa: F401 - registers
from ftaug.components.exporters.script import MULTI_LABEL, REGRESSION, SINGLE_LABEL
from ftaug.config.experiment import ModelInput
from ftaug.config.kinds import exporter
from ftaug.engine.training.state import Model
from ftaug.image import samples as image
from ftaug.image.backbones import timm, torchvision
from ftaug.image.export.source import read_by_pillow
from ftaug.image.io.decode import opened
from ftaug.interfaces.data import Task
from ftaug.interfaces.export import Bundle
from ftaug.text.export_source import read_by_tokenizers


def exported(bundle, name: str, folder: Path) -> Path:
    """Export to a folder; returns the script."""
    artifact = folder / "exports" / f"pets{exporter[name].facts['suffix']}"
    artifact.parent.mkdir()
    exporter[name].function(bundle, artifact)
    return artifact.with_name(f"{artifact.name}.py")


def printed(script: Path, *files: Path) -> list[list[str]]:
    """What the script prints where only the packages are installed that it names."""
    (line,) = (line for line in script.read_text().splitlines() if line.startswith("Install before: pip install "))
    packages = script.parents[1] / "packages"
    link_packages(packages, line.split("pip install ")[1].split())
    done = run_clean(packages, str(script), *map(str, files), cwd=script.parents[1])
    assert done.returncode == 0, done.stderr
    return list(csv.reader(io.StringIO(done.stdout), "excel-tab"))


@pytest.fixture
def texts(monkeypatch):
    bundle = of_text(monkeypatch).bundle
    types = bundle.preprocessing["types"]
    return replace(bundle, reading=read_by_tokenizers(types, pair=False, whole_files=False))


SLOW = pytest.mark.slow  # torch is slow to import


@pytest.mark.parametrize(
    "name", ["onnx", pytest.param("torch_export", marks=SLOW), pytest.param("transformers", marks=SLOW)]
)
def test_texts_are_read_line_by_line(name, texts, tmp_path):
    lines = [text for text in TEXTS if text]
    file = tmp_path / "lines.txt"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    rows = printed(exported(texts, name, tmp_path), file)
    with torch.inference_mode():
        expected = texts.model(tokens(texts.preprocessing, *lines)).softmax(1).numpy()
    assert [row[0] for row in rows] == [f"{file}:{n}" for n in range(1, len(lines) + 1)]
    for (_, label, probability), answer in zip(rows, expected, strict=True):
        assert label == TASK.classes[answer.argmax()]
        assert float(probability) == pytest.approx(answer.max(), abs=1e-5)


CALIBRATIONS = [
    ("softmax", None),
    ("softmax", {"scale": [2.0], "bias": [0.0]}),
    ("softmax", {"scale": [2.0, 0.5, 1.5], "bias": [0.0, 1.0, -1.0]}),
    ("sigmoid", None),
    ("sigmoid", {"scale": [0.5], "bias": [0.0]}),
    ("identity", None),
]


def calibrated(logits: torch.Tensor, calibration) -> torch.Tensor:
    return (
        logits
        if calibration is None
        else logits * torch.tensor(calibration["scale"]) + torch.tensor(calibration["bias"])
    )


@pytest.mark.slow
@pytest.mark.parametrize(("activation", "calibration"), CALIBRATIONS)
def test_pictures_go_through_the_pipeline_of_transformers(activation, calibration, tmp_path):
    bundle, contents = replace(of_timm(activation).bundle, calibration=calibration), odd_pictures()
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    rows = printed(exported(bundle, "transformers", tmp_path), *(tmp_path / name for name in contents))
    pipeline = image.pipeline((), bundle.preprocessing)
    batch = image.collate([image.prepare(opened(content), pipeline, None)[0] for content in contents.values()])
    with torch.inference_mode():
        logits = calibrated(bundle.model(batch), calibration)
    answers = {"softmax": logits.softmax(1), "sigmoid": logits.sigmoid(), "identity": logits}[activation]
    for (name, *cells), answer in zip(rows, answers, strict=True):
        if activation == "softmax":
            assert cells[0] == TASK.classes[answer.argmax()], name
            assert float(cells[1]) == pytest.approx(answer.max().item(), abs=2e-3), name
        else:
            found = [float(cell.rpartition("=")[2]) for cell in cells if "=" in cell]
            np.testing.assert_allclose(found, answer, atol=2e-3, err_msg=name)


NETWORKS = {
    "timm": lambda: timm.timm("timm/test_vit", TASK.classes, ModelInput(size=96), weights="none"),
    "torchvision": lambda: torchvision.torchvision("squeezenet1_1", TASK.classes, ModelInput(size=96), weights="none"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("activation", "calibration"), CALIBRATIONS)
@pytest.mark.parametrize("library", NETWORKS)
def test_weights_run_in_the_network_of_their_library(library, activation, calibration, tmp_path):
    backbone = NETWORKS[library]()
    model = Model(image.normalizer(backbone.preprocessing), backbone.network, nn.Identity()).eval()
    task = Task(TASK.classes, activation == "sigmoid", activation == "identity")
    export_signature = image.export_signature(model, backbone.preprocessing, lambda model: model)
    example = torch.zeros(1, 3, *backbone.preprocessing["size"], dtype=torch.uint8)
    bundle = Bundle(model, example, task, activation, backbone.preprocessing, "pets", export_signature)
    scale = {"mean": [1.0, 2.0, 3.0], "std": [10.0, 20.0, 30.0]} if activation == "identity" else None
    bundle = replace(bundle, reading=read_by_pillow(None), construction=backbone.construction, scale=scale)
    bundle = replace(bundle, calibration=calibration)
    contents = {
        name: content for name, content in odd_pictures().items() if name.startswith(("exif6", "rgba", "large"))
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    rows = printed(exported(bundle, "safetensors", tmp_path), *(tmp_path / name for name in contents))
    pipeline = image.pipeline((), backbone.preprocessing)
    batch = image.collate([image.prepare(opened(content), pipeline, None)[0] for content in contents.values()])
    with torch.inference_mode():
        logits = calibrated(model(batch), calibration)
    for row, answer in zip(rows, logits, strict=True):
        if activation == "softmax":
            assert row[1] == TASK.classes[answer.argmax()]
            assert float(row[2]) == pytest.approx(answer.softmax(0).max().item(), abs=1e-3)
        elif activation == "sigmoid":
            present = [name for name, p in zip(TASK.classes, answer.sigmoid(), strict=True) if p > 0.5]
            assert row[1] == "|".join(present)
            found = [float(cell.rpartition("=")[2]) for cell in row[2:]]
            np.testing.assert_allclose(found, answer.sigmoid(), atol=1e-3)
        else:
            found = [float(cell.rpartition("=")[2]) for cell in row[1:]]
            np.testing.assert_allclose(
                found, answer * torch.tensor(scale["std"]) + torch.tensor(scale["mean"]), atol=0.05
            )


@pytest.mark.parametrize(
    ("source", "metadata", "answer", "expected"),
    [
        (SINGLE_LABEL, {}, [0.2, 0.5, 0.3], ("b", "0.500000")),
        (SINGLE_LABEL, {}, [0.4, 0.4, 0.2], ("a", "0.400000")),
        (MULTI_LABEL, {}, [0.2, 0.5, 0.75], ("c", "a=0.200000", "b=0.500000", "c=0.750000")),
        (
            MULTI_LABEL,
            {"thresholds": [0.1, 0.2, 0.9]},
            [0.2, 0.5, 0.75],
            ("a|b", "a=0.200000", "b=0.500000", "c=0.750000"),
        ),
        (MULTI_LABEL, {"thresholds": [0.9] * 3}, [0.2, 0.5, 0.75], ("", "a=0.200000", "b=0.500000", "c=0.750000")),
        (REGRESSION, {}, [1e9, -0.125, 3.0], ("a=1e+09", "b=-0.125", "c=3")),
    ],
)
def test_the_decision_is_that_of_predict(source, metadata, answer, expected):
    names = {"np": np, "classes": ["a", "b", "c"], "metadata": metadata}
    exec(f"def decide(answer):\n{source}\n", names)
    answer = np.array(answer, np.float32)
    assert tuple(names["decide"](answer)) == expected
    if source == MULTI_LABEL:
        thresholds = tuple(metadata["thresholds"]) if metadata else None
        present = Task(("a", "b", "c"), multi_label=True, thresholds=thresholds).present(answer)
        assert (
            expected[0].split("|") == [name for name, on in zip("abc", present, strict=True) if on] or not present.any()
        )


@pytest.mark.parametrize("name", ["safetensors"])
def test_a_network_that_no_library_builds_has_no_script(name, tmp_path):
    bundle = replace(of_image().bundle, reading=read_by_pillow(None))
    assert not exported(bundle, name, tmp_path).exists()
