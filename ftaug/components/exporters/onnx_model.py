"""Compose ONNX models and run them with ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ftaug.interfaces.export import SampleBatch

if TYPE_CHECKING:
    from torch import Tensor

PREFIX = "preprocessing/"
"""Prefix of the names of prepended values and nodes."""


def prepend(model: Any, text: str) -> None:
    """Prepend a model in ONNX's textual syntax to an `onnx_ir` model whose inputs are its outputs, in place."""
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
    """Load a model into ONNX Runtime on the CPU; return a function that runs it for each feed of a batch."""
    import onnxruntime
    import torch

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def run(batch: SampleBatch) -> Mapping[str, Tensor]:
        results = [session.run(list(outputs), dict(feed)) for feed in feeds(batch)]
        columns = (torch.from_numpy(np.concatenate(column)) for column in zip(*results, strict=True))
        return dict(zip(outputs, columns, strict=True))

    return run
