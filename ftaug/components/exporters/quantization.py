"""Models of ONNX in reduced precision: 8-bit integers (static or dynamic quantization) and 16-bit floats.

The network alone is converted. What comes before its first layer with weights, such as the resizing and the
normalization of pictures, stays as it is.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ftaug.errors import ExperimentError, as_known, did_you_mean

Calibration = Literal["minmax", "entropy", "percentile"]
Feed = Mapping[str, np.ndarray]

CONVOLUTIONS = ("Conv", "ConvTranspose")
PRODUCTS = ("MatMul", "Gemm")
EMBEDDINGS = ("Gather",)
BETWEEN = ("Relu", "Clip", "Add", "MaxPool", "AveragePool", "GlobalAveragePool", "Concat", "Reshape", "Flatten")
"""Static quantization includes these, so that values stay integers from one convolution to the next.

Without the activation function, the range of a convolution's output would be that before it is clipped.
"""


def weighted_nodes(graph: Any) -> list[Any]:
    """Find the nodes with float weights: convolutions, matrix products and embeddings."""
    import onnx

    floats = {tensor.name for tensor in graph.initializer if tensor.data_type == onnx.TensorProto.FLOAT}
    return [
        node
        for node in graph.node
        if (node.op_type in (*CONVOLUTIONS, *PRODUCTS) and node.input[1] in floats)
        or (node.op_type in EMBEDDINGS and node.input[0] in floats)
    ]


def nodes_before_network(graph: Any) -> list[str]:
    """List the nodes before the first weighted one (preprocessing)."""
    weighted = {node.name for node in weighted_nodes(graph)}
    inside: set[str] = set()
    before = []
    for node in graph.node:  # sorted topologically
        if node.name in weighted or not inside.isdisjoint(node.input):
            inside.update(node.output)
        else:
            before.append(node.name)
    return before


def mostly_convolutions(model: Any) -> bool:
    """Whether most layers of a network are convolutions, so that static quantization suits it."""
    layers = [node.op_type for node in weighted_nodes(model.graph) if node.op_type not in EMBEDDINGS]
    return 2 * sum(layer in CONVOLUTIONS for layer in layers) > len(layers)


def check_excluded(model: Any, names: Iterable[str]) -> None:
    """Raise ExperimentError for a name of `exclude` that matches no weighted layer."""
    known = [node.name for node in weighted_nodes(model.graph)]
    for name in names:
        if name not in known:
            raise ExperimentError(f"exclude: the network has no layer '{name}'{did_you_mean(name, known)}")


def dynamic(model: Any, exclude: Collection[str] = ()) -> Any:
    """Dynamic quantization: weights per channel, activations at run time by the range of each batch.

    Raises ExperimentError that names the node that cannot be quantized.
    """
    from onnxruntime.quantization import QuantizationMode, QuantType
    from onnxruntime.quantization.onnx_quantizer import ONNXQuantizer

    operators = [*PRODUCTS, *EMBEDDINGS]

    def quantize(nodes: list[str]) -> Any:
        options = {"MatMulConstBOnly": True}
        types = (QuantType.QInt8, QuantType.QUInt8)
        mode = QuantizationMode.IntegerOps
        return ONNXQuantizer(
            _with_shapes(model), True, False, mode, False, *types, None, nodes, list(exclude), operators, options
        )

    return _quantized(model, quantize, operators)


def static(
    path: Path, feeds: Iterable[Feed], calibration: Calibration, reduce_range: bool, exclude: Collection[str] = ()
) -> Any:
    """Static quantization: weights signed per channel, activations unsigned by their ranges on calibration feeds.

    Writes temporary files beside the model. Raises ExperimentError that names the node that cannot be quantized.
    """
    import onnx
    from onnxruntime.quantization import QDQQuantizer, QuantType

    model = onnx.load(path)
    operators = [*CONVOLUTIONS, *PRODUCTS, *BETWEEN]
    left = [*nodes_before_network(model.graph), *exclude]
    ranges = _ranges(path, feeds, calibration, operators)

    def quantize(nodes: list[str]) -> Any:
        types = (QuantType.QInt8, QuantType.QUInt8)
        return QDQQuantizer(_with_shapes(model), True, reduce_range, *types, ranges, nodes, left, operators, {})

    return _quantized(model, quantize, operators)


def half(model: Any) -> Any:
    """Convert the network to float16; inputs and outputs keep their types."""
    from onnxruntime.quantization.onnx_model import ONNXModel
    from onnxruntime.transformers.float16 import convert_float_to_float16

    before = nodes_before_network(model.graph)
    converted = ONNXModel(convert_float_to_float16(model, keep_io_types=True, node_block_list=before))
    converted.topological_sort()
    return converted.model


def _with_shapes(model: Any) -> Any:
    import onnx

    return onnx.shape_inference.infer_shapes(model)  # a copy


def _quantized(model: Any, quantizer: Callable[[list[str]], Any], operators: Sequence[str]) -> Any:
    """Quantize all nodes; on failure try each alone to name the failing one."""
    if not any(node.op_type in operators for node in weighted_nodes(model.graph)):
        raise ExperimentError(f"the network has no layer with weights of these kinds ({', '.join(operators)})")

    def quantize(nodes: list[str]) -> Any:
        result = quantizer(nodes)
        result.quantize_model()
        result.model.topological_sort()
        return result.model.model

    try:
        return quantize([])
    except Exception as error:
        if isinstance(error, OSError) or as_known(error):
            raise
        for node in model.graph.node:
            if node.op_type in operators:
                try:
                    quantize([node.name])
                except Exception as reason:
                    raise _cannot(node, str(reason)) from None
        raise ExperimentError(f"the network cannot be quantized: {_first_line(str(error))}") from None


class _Reader:
    """Calibration data reader of a single feed for ONNX Runtime."""

    def __init__(self, feed: Feed) -> None:
        self.feeds = [dict(feed)]

    def get_next(self) -> dict[str, np.ndarray] | None:
        return self.feeds.pop() if self.feeds else None


def _ranges(path: Path, feeds: Iterable[Feed], calibration: Calibration, operators: list[str]) -> Any:
    """Compute the range of each activation over the feeds, one at a time to bound memory."""
    from onnxruntime.quantization import CalibrationMethod, create_calibrator

    methods = {"minmax": "MinMax", "entropy": "Entropy", "percentile": "Percentile"}
    method = CalibrationMethod[methods[calibration]]
    with redirect_stdout(io.StringIO()):  # it prints its progress
        augmented = str(path.with_name("calibrated.onnx"))
        calibrator = create_calibrator(path, operators, augmented, calibrate_method=method)
        for feed in feeds:
            try:
                calibrator.collect_data(_Reader(feed))
            except ValueError as error:
                _check_finite(calibrator.model, _activations(calibrator.infer_session, feed))
                text = f"calibration: {calibration} fails on this network ({_first_line(str(error))})"
                raise ExperimentError(f"{text}; use calibration: minmax") from None
        ranges = calibrator.compute_data()
    _check_finite(calibrator.model, {name: data.range_value for name, data in ranges.items()})
    return ranges


def _activations(session: Any, feed: Feed) -> dict[str, Any]:
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(feed)), strict=True))


def _check_finite(model: Any, values: Mapping[str, Any]) -> None:
    """Raise ExperimentError that names the first node with NaN or infinite output."""
    for node in model.graph.node:
        for name in node.output:
            if name in values and not np.isfinite(values[name]).all():
                raise _cannot(node, "its output is infinite or NaN on the calibration samples")


def _cannot(node: Any, reason: str) -> ExperimentError:
    what = f"node '{node.name}' ({node.op_type}) cannot be quantized"
    return ExperimentError(f"{what}: {_first_line(reason)}; try exclude: [{node.name}]")


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
