import pytest

from ftaug.runs.export.table import refusals, summary

METRIC = {"name": "accuracy", "original": 0.9972, "exported": 0.95, "views": None, "with_views": None, "loss": None}
ENTRY = {
    "format": "onnx_int8",
    "bytes": 123_456_789,
    "milliseconds": {1: 123.456, 16: 12345.6},
    "split": "val",
    "samples": 360,
    "largest_difference": 0.5,
    "largest_probability_difference": 0.0123,
    "equal_predictions": 0.98765,
    "metric": METRIC,
    "parity": False,
    "synthetic": {"samples": 8, "largest_difference": 0.5, "largest_probability_difference": 0.25},
    "without_data": None,
    "files": ["exports/onnx_int8/pets.int8.onnx"],
}


def shown(entries, capsys):
    from ftaug.runs.report import console

    console.show(*summary(entries))
    return capsys.readouterr().out


def test_the_table_fits_a_terminal_and_says_size_speed_and_metric(capsys):
    lines = shown({"a": ENTRY, "b": {**ENTRY, "format": "torch_export", "parity": True}}, capsys).splitlines()
    assert max(map(len, lines)) <= 80
    (row,) = (line.split() for line in lines if "onnx_int8 " in line)
    assert row == ["onnx_int8", "123.5", "123", "12,346", "0.9500", "1.2e-02", "98.8%", "NO"]
    assert "accuracy of the model: 0.9972" in lines
    assert "wrote exports/onnx_int8/pets.int8.onnx" in lines


def test_without_data_there_is_no_metric(capsys):
    text = shown({"a": {**ENTRY, "metric": None, "without_data": "photos: no such folder"}}, capsys)
    assert "compared on 8 synthetic samples: the run's data cannot be read (photos: no such folder)" in text


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (None, "a: its predictions differ from the model's: probabilities or numbers by up to 2.5e-01; not kept"),
        (
            {"value": 0.0472, "standard_error": 0.0111, "tolerance": 0.01},
            "a: accuracy 0.9972 becomes 0.9500, 0.0472 ± 0.0111 worse, and tolerance is 0.01; "
            "try another calibration, exclude, or a higher tolerance; not kept",
        ),
    ],
)
def test_what_is_not_kept_says_why(loss, words):
    assert refusals({"a": {**ENTRY, "metric": {**METRIC, "loss": loss}}, "b": {**ENTRY, "parity": True}}) == [words]
