import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from ftaug.components.exporters import quantization
from ftaug.errors import ExperimentError

CHANNELS = 5


def weights(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)


def pictures(count):
    """One picture each, with channels whose ranges differ."""
    rng = np.random.default_rng(1)
    return [{"images": rng.integers(256, size=(1, 8, 8, 3), dtype=np.uint8)} for _ in range(count)]


def network(path, middle=()):
    """Pictures, cast, transposed and divided; a convolution and its activation; `middle`; a matrix product."""
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], name="cast", to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["floats"], ["first"], name="transpose", perm=[0, 3, 1, 2]),
        helper.make_node("Div", ["first", "scale"], ["normalized"], name="divide"),
        helper.make_node("Conv", ["normalized", "kernel", "bias"], ["convolved"], name="conv", kernel_shape=[3, 3]),
        helper.make_node("Relu", ["convolved"], ["active"], name="relu"),
        *middle,
        helper.make_node("GlobalAveragePool", ["active" if not middle else "inside"], ["pooled"], name="pool"),
        helper.make_node("Flatten", ["pooled"], ["flat"], name="flatten"),
        helper.make_node("Gemm", ["flat", "matrix"], ["logits"], name="head"),
    ]
    constants = {"scale": np.float32(64), "kernel": weights(CHANNELS, 3, 3, 3), "bias": weights(CHANNELS)}
    constants["matrix"] = weights(CHANNELS, 4)
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["batch", 8, 8, 3])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 4])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    return path


@pytest.fixture
def model(tmp_path):
    return network(tmp_path / "fp32.onnx")


def run(model, feed):
    session = onnxruntime.InferenceSession(
        model if isinstance(model, str) else model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(["logits"], dict(feed))[0]


def tensors(model):
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def test_what_comes_before_the_first_weights_is_not_of_the_network(model):
    graph = onnx.load(model).graph
    assert [node.name for node in quantization.weighted_nodes(graph)] == ["conv", "head"]
    assert quantization.nodes_before_network(graph) == ["cast", "transpose", "divide"]


@pytest.mark.parametrize("calibration", ["minmax", "entropy", "percentile"])
def test_static_quantizes_weights_by_channel_and_activations_unsigned(model, calibration, capsys):
    """The weights against the formula: a channel's largest one is 127."""
    quantized = quantization.static(model, pictures(16), calibration, False)
    onnx.checker.check_model(quantized, full_check=True)
    kernel, found = weights(CHANNELS, 3, 3, 3), tensors(quantized)
    scales = np.abs(kernel).max(axis=(1, 2, 3)) / 127
    np.testing.assert_allclose(found["kernel_scale"], scales, rtol=1e-6)
    np.testing.assert_array_equal(found["kernel_quantized"], np.rint(kernel / scales[:, None, None, None]))
    assert found["normalized_zero_point"].dtype == np.uint8
    assert found["kernel_quantized"].dtype == np.int8
    for feed in pictures(3):
        expected = run(str(model), feed)
        assert 0 < np.abs(run(quantized, feed) - expected).max() < 0.1 * np.abs(expected).max()
    assert not capsys.readouterr().out


def test_static_leaves_the_preprocessing_as_it_is(model):
    quantized = quantization.static(model, pictures(16), "minmax", False)
    producers = {output: node for node in quantized.graph.node for output in node.output}
    (divide,) = (node for node in quantized.graph.node if node.name == "divide")
    assert list(divide.input) == ["first", "scale"]
    assert producers["first"].op_type == "Transpose"
    (first,) = (node for node in quantized.graph.node if "normalized" in node.input)
    assert first.op_type == "QuantizeLinear"


def test_seven_bits_are_used_where_a_range_is_reduced(model):
    kernel = tensors(quantization.static(model, pictures(16), "minmax", True))["kernel_quantized"]
    assert (kernel.min(), kernel.max()) in {(-64, 63), (-64, 64), (-63, 63), (-64, 62)} or np.abs(kernel).max() <= 64


def test_layers_that_are_excluded_stay_as_they_are(model):
    quantized = quantization.static(model, pictures(16), "minmax", False, ["head"])
    assert "kernel_quantized" in tensors(quantized)
    np.testing.assert_array_equal(tensors(quantized)["matrix"], weights(CHANNELS, 4))


def test_an_excluded_layer_must_be_there(model):
    with pytest.raises(ExperimentError, match="exclude: the network has no layer 'hed'; did you mean 'head'"):
        quantization.check_excluded(onnx.load(model), ["conv", "hed"])


def test_dynamic_quantizes_matrix_products_alone(model):
    quantized = quantization.dynamic(onnx.load(model))
    operators = [node.op_type for node in quantized.graph.node]
    assert "Conv" in operators
    assert "MatMulInteger" in operators
    assert "DynamicQuantizeLinear" in operators
    matrix, found = weights(CHANNELS, 4), tensors(quantized)
    np.testing.assert_allclose(found["matrix_scale"], np.abs(matrix).max(axis=0) / 127, rtol=1e-6)
    feed = pictures(1)[0]
    np.testing.assert_allclose(run(quantized, feed), run(str(model), feed), atol=0.1)


def test_static_suits_networks_that_are_mostly_convolutions(model):
    loaded = onnx.load(model)
    assert not quantization.mostly_convolutions(loaded)  # one of two
    del loaded.graph.node[-1]
    assert quantization.mostly_convolutions(loaded)


def test_half_has_small_weights_and_the_same_inputs_and_outputs(model):
    converted = quantization.half(onnx.load(model))
    onnx.checker.check_model(converted)
    types = {tensor.name: tensor.data_type for tensor in converted.graph.initializer}
    assert types["scale"] == TensorProto.FLOAT
    assert {types["kernel"], types["matrix"]} == {TensorProto.FLOAT16}
    assert converted.graph.output[0].type.tensor_type.elem_type == TensorProto.FLOAT
    feed = pictures(1)[0]
    np.testing.assert_allclose(run(converted, feed), run(str(model), feed), rtol=5e-3, atol=5e-3)


def test_a_node_that_is_infinite_is_named(tmp_path):
    path = network(tmp_path / "a.onnx", [helper.make_node("Log", ["active"], ["inside"], name="logarithm")])
    for calibration in ("minmax", "entropy"):
        with pytest.raises(ExperimentError, match=r"node 'logarithm' \(Log\) cannot be quantized: its output is infin"):
            quantization.static(path, pictures(16), calibration, False)


def test_a_node_that_the_quantizer_cannot_take_is_named(model, monkeypatch):
    from onnxruntime.quantization.operators.conv import QDQConv

    def fail(self):
        raise ValueError("no such shape\nand more")

    monkeypatch.setattr(QDQConv, "quantize", fail)
    message = r"^node 'conv' \(Conv\) cannot be quantized: no such shape; try exclude: \[conv\]$"
    with pytest.raises(ExperimentError, match=message):
        quantization.static(model, pictures(16), "minmax", False)
    assert quantization.static(model, pictures(16), "minmax", False, ["conv"])


def test_a_network_without_weights_is_refused(model):
    empty = onnx.load(model)
    del empty.graph.initializer[:]
    with pytest.raises(ExperimentError, match=r"no layer with weights of these kinds \(MatMul, Gemm, Gather\)"):
        quantization.dynamic(empty)


def test_the_same_network_is_the_same_file_in_every_process(model, tmp_path):
    script = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[2])\n"
        "from test_quantization import pictures, quantization\n"
        "model = quantization.static(Path(sys.argv[1]), pictures(16), 'minmax', False)\n"
        "sys.stdout.buffer.write(model.SerializeToString(deterministic=True))"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", script, str(model), str(Path(__file__).parent)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1]
    assert len(outputs[0]) > 1000
