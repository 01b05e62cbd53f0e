"""What an exported model takes: raw samples where it has its preprocessing built in, else prepared ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ftaug.components.exporters.metadata import description
from ftaug.errors import ExperimentError
from ftaug.interfaces.export import Bundle, Preprocessor, SampleBatch

if TYPE_CHECKING:
    from torch import Tensor

Input = Literal["images", "pixels"]


def preprocessor_of(bundle: Bundle, name: str, input: Input | None) -> Preprocessor | None:
    """Return the preprocessing to prepend, if asked for; raises ExperimentError if the modality has none."""
    if input is not None and bundle.export_signature.preprocessor is None:
        names = ", ".join(bundle.export_signature.free)
        raise ExperimentError(f"exporter '{name}': input: is for pictures, and this model takes {names}; leave it out")
    return built_in(bundle, input)


def built_in(bundle: Bundle, input: Input | None) -> Preprocessor | None:
    """Return the preprocessing inside an artifact with this input."""
    return None if input == "pixels" else bundle.export_signature.preprocessor


def metadata_of(bundle: Bundle, preprocessor: Preprocessor | None) -> dict[str, Any]:
    """Build the metadata of a model with or without built-in preprocessing."""
    if preprocessor is None:
        return description(bundle)
    inputs = {
        name: {
            "shape": [preprocessor.free[name].get(axis, length) for axis, length in enumerate(array.shape)],
            "type": str(array.dtype),
        }
        for name, array in preprocessor.example.items()
    }
    return {**description(bundle), "inputs": inputs}


def example_of(bundle: Bundle) -> Tensor:
    """Build an example batch of two: torch.export would specialize on a batch of one."""
    return bundle.example[[0, 0]].contiguous()


def feeds_of(
    bundle: Bundle, input: Input | None, name: str | None = None
) -> Callable[[SampleBatch], Iterator[dict[str, np.ndarray]]]:
    """Return a function that converts a batch to inputs: the whole batch, or single samples if sizes may differ."""
    preprocessor = built_in(bundle, input)

    def convert(batch: SampleBatch) -> Iterator[dict[str, np.ndarray]]:
        if preprocessor is not None:
            feeds: Iterable[Mapping[str, np.ndarray]] = map(preprocessor.decoded, batch.samples)
        else:
            feeds = [{key: tensor.numpy() for key, tensor in bundle.export_signature.inputs(batch.inputs).items()}]
        for feed in feeds:
            yield {name or key: array for key, array in feed.items()}

    return convert


def dynamic_axes(free: Mapping[str, Mapping[int, str]], limits: Mapping[str, int]) -> tuple[dict[int, Any], ...]:
    """Return the dynamic dimensions of each input; equal names mean equal lengths."""
    import torch

    names = {name for axes in free.values() for name in axes.values()}
    dimensions = {name: torch.export.Dim(name, max=limits.get(name)) for name in names}
    return tuple({axis: dimensions[name] for axis, name in axes.items()} for axes in free.values())
