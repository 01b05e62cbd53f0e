"""Exporters: write a trained model for use elsewhere, and load what was written, to be compared with the original.

Every artefact takes a batch (pictures: uint8, N×3×H×W, already of the model's size; texts: ids, N×length) of any number
of samples, and gives logits; normalisation is inside. It carries the class names, the preprocessing before it, the
function from logits to probabilities and ftaug's version; a tokenizer is a file beside it.
"""

from __future__ import annotations

import copy
import io
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from ftaug.components.debug_info import strip_onnx, strip_program
from ftaug.components.export_metadata import description
from ftaug.config.kinds import exporter
from ftaug.config.strict_json import dumps
from ftaug.config.types import Text, Wording
from ftaug.errors import ExperimentError, missing_extra
from ftaug.interfaces import Bundle

if TYPE_CHECKING:
    from torch import Tensor

    Loaded = Callable[[Tensor], Tensor]

Opset = Annotated[int, Field(ge=18, le=23), Wording("an opset from 18 to 23")]
PROTOBUF_LIMIT = 2_000_000_000
PROBLEM_TYPES = {
    "softmax": "single_label_classification",
    "sigmoid": "multi_label_classification",
    "identity": "regression",
}
"""How transformers calls what leads from logits to probabilities."""


@exporter.register(suffix=".onnx")
def onnx(bundle: Bundle, path: Path, *, opset: Opset = 18, input_name: Text | None = None) -> Loaded:
    """ONNX, for ONNX Runtime and most other inference engines: one file, batches of any size.

    Settings:
        opset: version of the ONNX operators to use
        input_name: what the model's input is called where it has one; unless set `pixels` for pictures; texts have
            `input_ids`, `attention_mask` and perhaps `token_type_ids`; its output is `logits`
    """
    needed = ("onnx", "onnxscript", "onnxruntime")
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        raise missing_extra("exporter 'onnx'", ", ".join(missing), "onnx")
    import torch

    inputs = bundle.facing.inputs(_example(bundle))
    if input_name is not None and len(inputs) > 1:
        raise ExperimentError(f"exporter 'onnx': input_name: this model has several inputs, {', '.join(inputs)}")
    names = list(inputs) if input_name is None else [input_name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            bundle.facing.module,
            tuple(inputs.values()),
            input_names=names,
            output_names=["logits"],
            dynamic_shapes=_free(bundle),
            opset_version=opset,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    strip_onnx(program.model)
    for key, value in description(bundle).items():
        program.model.metadata_props[key] = value if isinstance(value, str) else dumps(value)
    program.save(path, external_data=_bytes(bundle) > PROTOBUF_LIMIT)
    _write_beside(bundle, path)
    return _onnx_runtime(path, names, bundle.facing.inputs)


@exporter.register(suffix=".pt2")
def torch_export(bundle: Bundle, path: Path) -> Loaded:
    """PyTorch's own format, for `torch.export.load` and AOTInductor: one file, batches of any size."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        inputs = bundle.facing.inputs(_example(bundle))
        program = torch.export.export(bundle.facing.module, tuple(inputs.values()), dynamic_shapes=_free(bundle))
        strip_program(program)
        content = io.BytesIO()  # PyTorch's own writing of a file aborts the process where the disk is full
        torch.export.save(program, content, extra_files={"ftaug.json": dumps(description(bundle), indent=2)})
        path.write_bytes(content.getbuffer())
        loaded = torch.export.load(path).module()
    _write_beside(bundle, path)
    return _in_torch(lambda batch: loaded(*bundle.facing.inputs(batch).values()))


@exporter.register(suffix=".safetensors", one_network=True)
def safetensors(bundle: Bundle, path: Path) -> Loaded:
    """The network's weights under their names in PyTorch, and a JSON file beside them with all else.

    In regression the network answers in the units of the data, save where the JSON file has a `scale`: its answer times
    `std`, plus `mean`.
    """
    import torch
    from safetensors.torch import load_model, save_model

    # One key, because safetensors writes several in any order, and the same model is to be the same file.
    about = {**description(bundle), "scale": bundle.scale}
    save_model(_network(bundle.model), str(path), metadata={"ftaug": dumps(about)})
    beside = path.with_name(f"{path.name}.json")
    beside.write_text(dumps(about, indent=2) + "\n", encoding="utf-8")
    path.chmod(beside.stat().st_mode)
    _write_beside(bundle, path)
    loaded = copy.deepcopy(bundle.model)
    with torch.no_grad():
        for tensor in _network(loaded).state_dict().values():
            tensor.zero_()
    load_model(_network(loaded), str(path))
    return _in_torch(loaded)


@exporter.register(suffix=".adapter.safetensors", one_network=True)
def adapter(bundle: Bundle, path: Path) -> Loaded:
    """What a method learned, without the pretrained weights beside it: a small file to go on from.

    A run goes on from it by the setting `weights` of its method, such as `method: {lora: {weights: FILE}}`, on the same
    pretrained weights: the file holds their hash.
    """
    if bundle.adapter is None:
        raise ExperimentError("exporter 'adapter': the run has no method that adds weights; use safetensors")
    from safetensors.torch import load_file, save

    about = {**description(bundle), "method": bundle.adapter.method, "base": bundle.adapter.base}
    tensors = {name: tensor.cpu().contiguous() for name, tensor in bundle.adapter.tensors.items()}
    path.write_bytes(save(tensors, {"ftaug": dumps(about)}))
    return _in_torch(bundle.adapter.applied(load_file(path)))


@exporter.register(suffix="-transformers", one_network=True)
def transformers(bundle: Bundle, path: Path) -> Loaded:
    """A folder for `from_pretrained` and `pipeline` of the library transformers: weights, classes and tokenizer."""
    if bundle.save is None:
        raise ExperimentError("exporter 'transformers': the backbone is not of the library transformers")
    if bundle.scale is not None:
        raise ExperimentError("exporter 'transformers': the numbers' scale does not go into the network's last layer")
    import transformers as library

    bundle.save(path)
    config = library.AutoConfig.from_pretrained(path)
    config.problem_type = PROBLEM_TYPES[bundle.activation]
    config.name_or_path = ""  # else older versions write where the encoder lay
    config.save_pretrained(path)
    for file in path.iterdir():
        file.chmod((path / "config.json").stat().st_mode)
    model = library.AutoModelForSequenceClassification.from_pretrained(path).eval()
    return _in_torch(lambda batch: model(**bundle.facing.inputs(batch)).logits)


def _write_beside(bundle: Bundle, path: Path) -> None:
    """Write what the preprocessing needs into the artefact's folder."""
    for name, content in bundle.facing.files.items():
        path.with_name(name).write_text(content, encoding="utf-8")


def _network(model: Any) -> Any:
    """The network inside a model: its weights then have the names that its own library gives them."""
    return getattr(model, "network", model)


def _bytes(bundle: Bundle) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in bundle.model.state_dict().values())


def _example(bundle: Bundle) -> Tensor:
    """Two samples: a batch of one would be taken for a batch that can only have one."""
    return bundle.example[[0, 0]].contiguous()


def _in_torch(model: Callable[[Tensor], Tensor]) -> Loaded:
    import torch

    def run(batch: Tensor) -> Tensor:
        with torch.inference_mode():
            return model(batch)

    return run


def _free(bundle: Bundle) -> tuple[dict[int, Any], ...]:
    """The free dimensions of each input; those of one name have the same length."""
    import torch

    names = {name for free in bundle.facing.free.values() for name in free.values()}
    dimensions = {name: torch.export.Dim(name, max=bundle.facing.limits.get(name)) for name in names}
    return tuple({axis: dimensions[name] for axis, name in free.items()} for free in bundle.facing.free.values())


def _onnx_runtime(path: Path, names: Sequence[str], inputs: Callable[[Tensor], Mapping[str, Tensor]]) -> Loaded:
    """The model in a file, run by ONNX Runtime on the CPU."""
    import onnxruntime
    import torch

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def run(batch: Tensor) -> Tensor:
        feed = dict(zip(names, (tensor.numpy() for tensor in inputs(batch).values()), strict=True))
        (logits,) = session.run(["logits"], feed)
        return torch.from_numpy(logits)

    return run
