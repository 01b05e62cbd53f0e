"""Formats to export to, as `--format` gives them."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from ftaug.errors import ExperimentError
from ftaug.experiment_file import import_components
from ftaug.runs.export.formats import check_networks, parse_format, parse_formats

import_components("image")


def test_a_format_may_have_settings():
    assert parse_format("{onnx: {opset: 20}}").settings["opset"] == 20


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("onx", "no exporter 'onx'; did you mean 'onnx'?"),
        ("{onnx: {opset: 3}}", "opset must be an opset from 18 to 23 (torch exports no older one); got 3"),
        ("{onnx: {ops: 3}}", "unknown key 'ops'"),
    ],
)
def test_formats_that_do_not_exist_are_refused(text, words):
    with pytest.raises(ExperimentError) as caught:
        parse_format(text)
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"--format {text}: ")


def test_targets_that_would_be_one_folder_are_refused():
    assert [one.name for one in parse_formats(["onnx", "onnx", "safetensors"])] == ["onnx", "safetensors"]
    with pytest.raises(ExperimentError) as caught:
        parse_formats(["onnx", "{onnx: {opset: 20}}"])
    assert str(caught.value) == (
        "--format {onnx: {opset: 20}}: is written to exports/onnx, as --format onnx is; export one of the two"
    )


def test_a_format_of_one_network_is_refused_for_several():
    def reference(networks):
        return SimpleNamespace(opened=SimpleNamespace(folder=Path("run")), bundle=SimpleNamespace(networks=networks))

    check_networks([parse_format("onnx")], reference(3))
    check_networks([parse_format("safetensors")], reference(1))
    with pytest.raises(ExperimentError) as caught:
        check_networks([parse_format("onnx"), parse_format("safetensors")], reference(3))
    assert str(caught.value) == (
        "exporter 'safetensors': holds one network, and run has 3; export run/fold-1, or use onnx or torch_export"
    )
