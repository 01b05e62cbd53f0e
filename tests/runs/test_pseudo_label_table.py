"""Tables of pseudo-labels, as the datasets of the modalities read them."""

from types import SimpleNamespace

import numpy as np
import pytest
import yaml

from ftaug.image.datasets.table import image_table
from ftaug.interfaces.data import Input, Task
from ftaug.runs.prediction import Failures
from ftaug.runs.pseudo_label_table import _write, describe
from ftaug.runs.pseudo_labels import MeanPredictions
from ftaug.text.datasets.table import text_table
from ftaug.text.types import Text

PROBABILITIES = np.array([[0.75, 0.25], [0.1, 0.9], [0.5, 0.5]])


def write(folder, inputs, modality, *, soft):
    run = SimpleNamespace(task=Task(("cat, tame", "dog")), experiment=SimpleNamespace(modality=modality))
    predictions = MeanPredictions(inputs, PROBABILITIES, np.array([1, 0.5, 1]), Failures())
    folder.mkdir(exist_ok=True)
    text = _write(run, predictions, [0, 1], folder / "labels.csv", soft=soft)
    ((reader, settings),) = yaml.safe_load(text).items()
    return reader, {**settings, "path": folder / "labels.csv"}


@pytest.mark.parametrize("place", [".", "../elsewhere"])
def test_pictures_are_read_with_their_soft_targets(tmp_path, place):
    pictures = (tmp_path / "table" / place).resolve()
    pictures.mkdir(parents=True)
    files = [pictures / name for name in ("a, b.png", "ü.png", "c.png")]
    for file in files:
        file.write_bytes(b"x")
    inputs = [Input(str(file), file.read_bytes) for file in files]
    reader, settings = write(tmp_path / "table", inputs, "image", soft=True)
    assert reader == "image_table" and ("root" in settings) == (place != ".")
    samples = image_table("train", **settings)
    assert [samples.name(i) for i in range(2)] == [str(file) for file in files[:2]]
    assert samples.task.classes == ("cat, tame", "dog") and samples.targets.tolist() == [0, 1]
    np.testing.assert_allclose(samples.soft_targets, PROBABILITIES[:2])
    assert list(samples.columns()["agreement"]) == ["1", "0.5"]


@pytest.mark.parametrize(
    "texts", [[("one, two\n", None), ("3", None), ("4", None)], [("é", "b"), ("c", "d"), ("e", "f")]]
)
def test_texts_stand_in_the_table(tmp_path, texts):
    inputs = [Input(f"lines:{number}", lambda text=text: Text(*text)) for number, text in enumerate(texts)]
    reader, settings = write(tmp_path, inputs, "text", soft=False)
    assert reader == "text_table"
    samples = text_table("train", **{**settings, "text": tuple(settings.get("text", ("text",)))})
    assert [samples.read(i) for i in range(2)] == [Text(*text) for text in texts[:2]]
    assert samples.targets.tolist() == [0, 1] and samples.soft_targets is None


def test_the_summary_says_what_was_left_out():
    summary = {
        "inputs": 1000,
        "samples": 2,
        "classes": {"cat": 2, "dog": 0},
        "mean_confidence": 0.95,
        "agreement": 1.0,
        "confidence": 0.9,
        "removed": {"val": 3, "test": 0, "confidence": 995, "cap": 0},
        "validation": {"confidence": 0.9, "precision": 0.96, "samples": 50, "interval": (0.865, 0.989)},
    }
    first, second = describe(summary)
    assert first == (
        "2 of 1,000 samples labeled (cat 2, dog 0); mean confidence 0.950, agreement of the models 1.000; "
        "not labeled: 3 in a validation split, 995 not confident enough"
    )
    assert "at least 0.9000, chosen on validation: 96.0% of 50 samples" in second
