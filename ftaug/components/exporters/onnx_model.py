"""Models of ONNX: one put in front of another, and run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ftaug.interfaces.export import SampleBatch

if TYPE_CHECKING:
    from torch import Tensor

PREFIX = "preprocessing/"
"""Of the names of values and nodes that are put in front of a network."""


def prepend(model: Any, text: str) -> None:
    """Put a model in ONNX's textual syntax in front of one of `onnx_ir` that has its outputs as inputs, in place."""
    import onnx_ir

    before = onnx_ir.from_onnx_text(text).graph
    nodes, inputs = list(before), list(before.inputs)
    outputs = {value.name: value for value in before.outputs}  # by their names before they change
    for number, node in enumerate(onnx_ir.traversal.RecursiveGraphIterator(before)):
        node.name = f"{PREFIX}{node.op_type}_{number}"
        for value in node.outputs:
            value.name = f"{PREFIX}{value.name}"
    before.inputs.clear()
    before.outputs.clear()
    before.remove(nodes)
    model.graph.insert_before(model.graph[0], nodes)
    for value in list(model.graph.inputs):
        value.replace_all_uses_with(outputs[value.name])
    model.graph.inputs.clear()
    model.graph.inputs.extend(inputs)


def runner(
    path: Path, outputs: Sequence[str], feeds: Callable[[SampleBatch], Iterable[Mapping[str, np.ndarray]]]
) -> Callable[[SampleBatch], Mapping[str, Tensor]]:
    """The model in a file, run by ONNX Runtime on the CPU: once for each of the feeds that a batch makes."""
    import onnxruntime
    import torch

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def run(batch: SampleBatch) -> Mapping[str, Tensor]:
        answers = [session.run(list(outputs), dict(feed)) for feed in feeds(batch)]
        columns = (torch.from_numpy(np.concatenate(column)) for column in zip(*answers, strict=True))
        return dict(zip(outputs, columns, strict=True))

    return run
