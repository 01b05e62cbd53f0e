import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from export_cases import of_image, of_pixels, of_text, pictures

from ftaug.components.exporters import exporters, timing
from ftaug.components.exporters.reduced_precision import onnx_fp16 as fp16
from ftaug.components.exporters.reduced_precision import onnx_int8 as int8
from ftaug.errors import BadData, ExperimentError, MissingInput, NotReached


def training_samples(count):
    """As a bundle has them: at most so many, each a batch of its own."""
    batch = pictures(count)
    return lambda most: [of_pixels(batch[index : index + 1]) for index in range(min(count, most))]


@pytest.fixture
def convolutions():
    case = of_image()
    return replace(case.bundle, training_samples=training_samples(40)), case.batches[-1]


def facts(path):
    return {entry.key: entry.value for entry in onnx.load(path).metadata_props}


def operators(path):
    return {node.op_type for node in onnx.load(path).graph.node}


def close(answers, bundle, batch, tolerance):
    with torch.inference_mode():
        expected = bundle.model(batch.inputs)
    assert list(answers) == ["probabilities", "logits"]
    return 0 < (answers["logits"] - expected).abs().max() < tolerance * expected.abs().max()


def test_int8_is_static_for_convolutions_and_says_so(convolutions, tmp_path):
    bundle, batch = convolutions
    answer = int8(bundle, tmp_path / "pets.int8.onnx", mode="static", samples=20, speedup=0)
    assert close(answer(batch), bundle, batch, 0.1)
    about = facts(tmp_path / "pets.int8.onnx")
    assert json.loads(about["quantization"]) == {"mode": "static", "calibration": "minmax", "samples": 20}
    assert json.loads(about["classes"]) == list(bundle.task.classes)
    assert "QuantizeLinear" in operators(tmp_path / "pets.int8.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["pets.int8.onnx"]


def test_int8_is_dynamic_for_texts_and_needs_no_samples(monkeypatch, tmp_path):
    case = of_text(monkeypatch)
    answer = int8(case.bundle, tmp_path / "pets.int8.onnx", speedup=0)
    for batch in case.batches:
        assert close(answer(batch), case.bundle, batch, 0.2)
    assert json.loads(facts(tmp_path / "pets.int8.onnx")["quantization"]) == {"mode": "dynamic"}
    assert "MatMulInteger" in operators(tmp_path / "pets.int8.onnx")
    assert {path.name for path in tmp_path.iterdir()} == {"pets.int8.onnx", "tokenizer.json"}


def test_fp16_is_half_as_large_and_takes_and_gives_the_same(convolutions, tmp_path):
    bundle, batch = convolutions
    answer = fp16(bundle, tmp_path / "pets.fp16.onnx")
    assert close(answer(batch), bundle, batch, 0.01)
    exporters.onnx(bundle, tmp_path / "pets.onnx")
    reduced, full = onnx.load(tmp_path / "pets.fp16.onnx").graph, onnx.load(tmp_path / "pets.onnx").graph
    assert list(reduced.input) == list(full.input)
    assert list(reduced.output) == list(full.output)
    assert json.loads(facts(tmp_path / "pets.fp16.onnx")["quantization"]) == {"mode": "fp16"}


def test_fp16_of_texts_is_half_as_large(monkeypatch, tmp_path):
    case = of_text(monkeypatch)
    answer = fp16(case.bundle, tmp_path / "pets.fp16.onnx")
    assert close(answer(case.batches[4]), case.bundle, case.batches[4], 0.01)
    weights = onnx.load(tmp_path / "pets.fp16.onnx").graph.initializer
    assert not [one.name for one in weights if one.data_type == onnx.TensorProto.FLOAT and len(one.raw_data) > 1000]


def test_two_exports_are_the_same_file(convolutions, tmp_path):
    for number in (1, 2):
        int8(convolutions[0], tmp_path / f"{number}.onnx", mode="static", speedup=0)
        fp16(convolutions[0], tmp_path / f"half-{number}.onnx")
    for name in ("", "half-"):
        first, second = (onnx.load(tmp_path / f"{name}{number}.onnx") for number in (1, 2))
        assert first.SerializeToString(deterministic=True) == second.SerializeToString(deterministic=True)


def test_few_training_samples_are_too_few(convolutions, tmp_path):
    bundle = replace(convolutions[0], training_samples=training_samples(15))
    message = "exporter 'onnx_int8': mode static calibrates on 16 training samples or more; there are 15; add some"
    with pytest.raises(BadData, match=message):
        int8(bundle, tmp_path / "a.onnx", mode="static")
    assert not list(tmp_path.iterdir())


def test_static_needs_the_training_data(convolutions, tmp_path):
    def moved(most):
        raise MissingInput("photos: no such folder")

    message = "mode static needs the training data to calibrate; photos: no such folder"
    with pytest.raises(MissingInput, match=message):
        int8(replace(convolutions[0], training_samples=moved), tmp_path / "a.onnx", mode="static")


@pytest.mark.parametrize(
    ("times", "speedup", "words"),
    [
        ([2.0, 3.0], 1.0, "it is slower than fp32: 3.00 ms against 2.00 ms of fp32 with a batch of 1, on one thread"),
        ([3.0, 2.0], 2.0, "it is less than 2 times as fast as fp32: 2.00 ms against 3.00 ms"),
        ([3.0, 2.0], 1.5, None),
        ([2.0, 3.0], 0.0, None),
    ],
)
def test_int8_must_be_fast(convolutions, tmp_path, monkeypatch, times, speedup, words):
    monkeypatch.setattr(timing, "best", lambda calls: times[: len([*calls])])
    if words is None:
        assert int8(convolutions[0], tmp_path / "a.onnx", mode="static", speedup=speedup)
        return
    with pytest.raises(NotReached) as caught:
        int8(convolutions[0], tmp_path / "a.onnx", mode="static", speedup=speedup)
    assert words in str(caught.value)


def test_what_onnx_refuses_names_the_exporter_that_was_asked_for(monkeypatch, tmp_path):
    bundle = of_text(monkeypatch).bundle
    with pytest.raises(ExperimentError, match=r"^exporter 'onnx_fp16': input_name: this model has several inputs"):
        fp16(bundle, tmp_path / "a.onnx", input_name="words")
    with pytest.raises(ExperimentError, match=r"^exporter 'onnx_int8': exclude: the network has no layer 'nothing'"):
        int8(bundle, tmp_path / "a.onnx", exclude=("nothing",))


def test_a_network_may_be_too_large(convolutions, tmp_path, monkeypatch):
    monkeypatch.setattr(exporters, "PROTOBUF_LIMIT", np.int64(10))
    with pytest.raises(ExperimentError, match="'onnx_int8': the network is larger than 2 GB; use onnx"):
        int8(convolutions[0], tmp_path / "a.onnx")
