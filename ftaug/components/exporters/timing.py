"""Benchmark the inference time of exported models on one CPU thread.

Measured is the thread's CPU time, which on a quiet machine is the time that passes, and on a busy one still tells a
fast model from a slow one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.interfaces.export import Bundle

BATCH_SIZES = (1, 16)
LENGTH = 128
"""Of texts in tokens, unless the model takes fewer."""
ROUNDS, SECONDS = 15, 1.0
"""The best is that of so many runs; of three where they take longer than that."""

Call = Callable[[], Any]


def milliseconds(path: Path, bundle: Bundle) -> dict[int, float]:
    """Measure the milliseconds per batch of each batch size for an exported model."""
    return {size: best([call(size)])[0] for call in (caller(path, bundle),) for size in BATCH_SIZES}


def best(calls: Sequence[Call]) -> list[float]:
    """Measure the fewest milliseconds of functions, run in turn after one warm-up run; other work only adds to them."""
    for call in calls:
        call()
    times: list[list[float]] = [[] for _ in calls]
    for done in range(ROUNDS):
        if done >= 3 and sum(map(sum, times)) > SECONDS * len(calls):
            break
        for call, measured in zip(calls, times, strict=True):
            start = time.thread_time()
            call()
            measured.append(time.thread_time() - start)
    return [1000 * min(measured) for measured in times]


def caller(path: Path, bundle: Bundle) -> Callable[[int], Call]:
    """Return a function that runs an exported model on a batch: by ONNX Runtime, or PyTorch."""
    if path.suffix == ".onnx":
        return _onnx_runtime(path, bundle)
    if path.suffix == ".pt2":
        return _torch_export(path, bundle)
    return _torch(bundle)


def inputs(described: Mapping[str, Mapping[str, Any]], bundle: Bundle, size: int) -> dict[str, np.ndarray]:
    """Build a batch from the inputs described in the metadata: noise, or the bundle's example repeated.

    Axes of other names than of pictures and texts are as long as in the example.
    """
    length = min(LENGTH, bundle.export_signature.limits.get("length", LENGTH))
    height, width = bundle.preprocessing.get("size", (0, 0))
    free = {"batch": size, "height": height, "width": width, "length": length}
    rng = np.random.default_rng(0)
    examples = [tensor.numpy() for tensor in bundle.export_signature.inputs(bundle.example).values()]
    arrays = {}
    for (name, facts), example in zip(described.items(), examples, strict=True):
        shape: list[int] = [
            free.get(axis, length) if isinstance(axis, str) else axis
            for axis, length in zip(facts["shape"], example.shape, strict=True)
        ]
        is_picture = example.dtype == np.uint8
        arrays[name] = rng.integers(256, size=shape, dtype=np.uint8) if is_picture else np.resize(example, shape)
    return arrays


def _onnx_runtime(path: Path, bundle: Bundle) -> Callable[[int], Call]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    described = json.loads(session.get_modelmeta().custom_metadata_map["inputs"])

    def call(size: int) -> Call:
        feed = inputs(described, bundle, size)
        return lambda: session.run(None, feed)

    return call


def _torch_export(path: Path, bundle: Bundle) -> Callable[[int], Call]:
    import torch

    files = {"ftaug.json": ""}
    module = torch.export.load(path, extra_files=files).module()
    described = json.loads(files["ftaug.json"])["inputs"]
    return lambda size: _on_one_thread(module, list(inputs(described, bundle, size).values()))


def _torch(bundle: Bundle) -> Callable[[int], Call]:
    return lambda size: _on_one_thread(bundle.model, [np.repeat(bundle.example.numpy(), size, axis=0)])


def _on_one_thread(module: Callable[..., Any], arrays: Sequence[np.ndarray]) -> Call:
    import torch

    tensors = [torch.from_numpy(array) for array in arrays]

    def call() -> None:
        with one_thread(), torch.inference_mode():
            module(*tensors)

    return call


@contextmanager
def one_thread() -> Iterator[None]:
    """Context manager in which PyTorch computes on one thread."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
