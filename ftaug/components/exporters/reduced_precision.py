"""Exporters of ONNX in reduced precision: `onnx_int8` for CPUs, `onnx_fp16` for GPUs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from ftaug.components.exporters import exporters, quantization, timing
from ftaug.components.exporters.exporters import Opset
from ftaug.components.exporters.inputs import Input, feeds_of
from ftaug.config.kinds import exporter
from ftaug.config.strict_json import dumps
from ftaug.config.types import NonNegative, Text, Wording
from ftaug.errors import BadData, ExperimentError, MissingInput, NotReached
from ftaug.interfaces.export import Bundle, SampleBatch

if TYPE_CHECKING:
    from torch import Tensor

    Loaded = Callable[[SampleBatch], Mapping[str, Tensor]]

Convert = Callable[[Path], tuple[Any, dict[str, Any]]]
"""From a file in fp32 to a model of onnx and what its metadata say of it."""
FEWEST = 16
"""Number of calibration samples."""
Samples = Annotated[int, Field(ge=FEWEST), Wording(f"a whole number of {FEWEST} or more")]


@exporter.register(suffix=".int8.onnx", lossy=True)
def onnx_int8(
    bundle: Bundle,
    path: Path,
    *,
    mode: Literal["auto", "static", "dynamic"] = "auto",
    calibration: quantization.Calibration = "minmax",
    samples: Samples = 128,
    reduce_range: bool = False,
    exclude: tuple[Text, ...] = (),
    tolerance: NonNegative = 0.01,
    speedup: NonNegative = 1.0,
    opset: Opset = 18,
    input: Input | None = None,
    input_name: Text | None = None,
) -> Loaded:
    """ONNX with weights and activations of 8 bits, for CPUs: a quarter of the size, and faster than `onnx`.

    It is kept only if the best-metric on validation is no worse than `tolerance` allows and it is as fast as `speedup`
    asks, on one thread of this machine. What comes before the network, such as resizing, is not quantized.

    Settings:
        mode: static takes the ranges of activations from training samples, and suits convolutional networks; dynamic
            takes them from each batch, needs no samples, and suits transformers; auto is static where most layers are
            convolutions
        calibration: how static finds the range of an activation: minmax, entropy or percentile
        samples: how many training samples static reads, always the same ones, without augmentation
        reduce_range: use 7 bits for weights, for CPUs without VNNI, where sums of 8 bits overflow (static only)
        exclude: the names of layers that stay in fp32, where quantizing them costs too much accuracy
        tolerance: how much worse the metric may be: a difference for scores such as accuracy, a share for losses and
            errors
        speedup: how many times as fast as fp32 it must be, with batches of 1 and of 16; 0 allows any speed
        input: what a model of pictures takes, images or pixels, as for `onnx`
        input_name: what the model's input is called where it has one, as for `onnx`
    """

    def write(fp32: Path) -> tuple[Any, dict[str, Any]]:
        import onnx

        model = onnx.load(fp32)
        quantization.check_excluded(model, exclude)
        is_static = mode == "static" or (mode == "auto" and quantization.mostly_convolutions(model))
        if not is_static:
            return quantization.dynamic(model, exclude), {"mode": "dynamic"}
        feeds = feeds_of(bundle, input, input_name)
        batches = _calibration(bundle, samples)
        fed = (feed for batch in batches for feed in feeds(batch))
        facts = {"mode": "static", "calibration": calibration, "samples": len(batches)}
        return quantization.static(fp32, fed, calibration, reduce_range, exclude), facts

    return _reduced("onnx_int8", bundle, path, write, speedup, opset=opset, input=input, input_name=input_name)


@exporter.register(suffix=".fp16.onnx", rounding=1e-2)
def onnx_fp16(
    bundle: Bundle, path: Path, *, opset: Opset = 18, input: Input | None = None, input_name: Text | None = None
) -> Loaded:
    """ONNX with weights and activations of 16-bit floats, for GPUs: half of the size; on CPUs slower than `onnx`.

    Inputs and outputs have the types that they have in `onnx`, and probabilities differ by up to 0.01.

    Settings:
        input: what a model of pictures takes, images or pixels, as for `onnx`
        input_name: what the model's input is called where it has one, as for `onnx`
    """

    def write(fp32: Path) -> tuple[Any, dict[str, Any]]:
        import onnx

        return quantization.half(onnx.load(fp32)), {"mode": "fp16"}

    return _reduced("onnx_fp16", bundle, path, write, 0, opset=opset, input=input, input_name=input_name)


def _reduced(name: str, bundle: Bundle, path: Path, write: Convert, speedup: float, **onnx: Any) -> Loaded:
    """Export in fp32 to a temporary file and convert it; raises NotReached if the result is too slow."""
    if exporters.weight_bytes(bundle) > exporters.PROTOBUF_LIMIT:
        raise ExperimentError(f"exporter '{name}': the network is larger than 2 GB; use onnx")
    with TemporaryDirectory(prefix=".tmp-", dir=path.parent) as temporary:
        fp32 = Path(temporary, "fp32.onnx")
        try:
            exporters.onnx(bundle, fp32, **onnx)
            model, facts = write(fp32)
        except ExperimentError as error:
            reason = str(error).removeprefix("exporter 'onnx': ")
            raise ExperimentError(f"exporter '{name}': {reason}") from None
        metadata = model.metadata_props.add()
        metadata.key, metadata.value = "quantization", dumps(facts)
        path.write_bytes(model.SerializeToString(deterministic=True))
        if speedup:
            _check_speed(name, bundle, fp32, path, speedup)
    return exporters.finish_onnx(bundle, path, onnx["input"], onnx["input_name"])


def _calibration(bundle: Bundle, count: int) -> Sequence[SampleBatch]:
    """Load calibration samples, preprocessed as in evaluation; raises MissingInput and BadData if too few."""
    assert bundle.training_samples is not None
    try:
        samples = bundle.training_samples(count)
    except MissingInput as error:
        raise MissingInput(f"exporter 'onnx_int8': mode static needs the training data to calibrate; {error}") from None
    if len(samples) < FEWEST:
        text = f"mode static calibrates on {FEWEST} training samples or more, and there are {len(samples)}"
        raise BadData(f"exporter 'onnx_int8': {text}; add some, or use mode: dynamic")
    return samples


def _check_speed(name: str, bundle: Bundle, fp32: Path, path: Path, speedup: float) -> None:
    """Raise NotReached unless the model is the required factor faster than fp32 on one thread."""
    callers = [timing.caller(file, bundle) for file in (fp32, path)]
    for size in timing.BATCH_SIZES:
        before, after = timing.best([call(size) for call in callers])
        if after * speedup > before:
            figures = f"{after:.2f} ms against {before:.2f} ms of fp32 with a batch of {size}, on one thread"
            wanted = "it is slower than fp32" if speedup == 1 else f"it is less than {speedup:g} times as fast as fp32"
            raise NotReached(f"exporter '{name}': {wanted}: {figures}; use onnx, another mode, or a lower speedup")
