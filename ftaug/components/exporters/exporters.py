"""Exporters: write a trained model for use elsewhere, and load what was written, to be compared with the original.

Every artifact takes a batch of any number of samples. `onnx` and `torch_export` take pictures as they are decoded (or,
by a setting, uint8 N×3×H×W of the model's size) and texts as ids (N×length), and give probabilities and logits. It
carries the class names, the preprocessing, the function from logits to probabilities and ftaug's version; a tokenizer
is a file beside it.

An exporter gives back a function that answers a `SampleBatch` by what was written: `logits`, `probabilities` or both,
in regression `values` or `logits`, by their names.
"""

from __future__ import annotations

import copy
import io
import logging
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from ftaug.components.exporters import onnx_model
from ftaug.components.exporters.debug_info import strip_onnx, strip_program
from ftaug.components.exporters.inputs import (
    Input,
    built_in,
    dynamic_axes,
    example_of,
    feeds_of,
    metadata_of,
    preprocessor_of,
)
from ftaug.components.exporters.metadata import description, uncalibrated_thresholds
from ftaug.components.exporters.script import (
    METADATA_FILE,
    TORCH_EXPORT,
    construction_runner,
    onnx_runner,
    pipeline_runner,
    write_script,
)
from ftaug.config.kinds import exporter
from ftaug.config.strict_json import dumps
from ftaug.config.types import Doc, Text, Wording
from ftaug.errors import ExperimentError, missing_extra
from ftaug.interfaces.export import Bundle, SampleBatch

if TYPE_CHECKING:
    from torch import Tensor

    Loaded = Callable[[SampleBatch], Mapping[str, Tensor]]

Opset = Annotated[
    int,
    Field(ge=18, le=23),
    Wording("an opset from 18 to 23 (torch exports no older one)"),
    Doc("version of the ONNX operators to use"),
]
PROTOBUF_LIMIT = 2_000_000_000
PROBLEM_TYPES = {
    "softmax": "single_label_classification",
    "sigmoid": "multi_label_classification",
    "identity": "regression",
}
"""How transformers calls what leads from logits to probabilities."""


@exporter.register(suffix=".onnx")
def onnx(
    bundle: Bundle,
    path: Path,
    *,
    opset: Opset = 18,
    input: Input | None = None,
    input_name: Text | None = None,
) -> Loaded:
    """ONNX, for ONNX Runtime and most other inference engines: one file, batches of any size.

    Of pictures it takes RGB values as they are decoded, in any size, and resizes, crops and normalizes them itself.
    Its outputs are `probabilities` and `logits`; in regression `values`, in the units of the labels.

    Settings:
        input: what a model of pictures takes: images, uint8 (batch, height, width, 3) of any height and width; or
            pixels, uint8 (batch, 3, height, width), resized and cropped already; images unless set
        input_name: what the model's input is called where it has one; for pictures `images` or `pixels` unless set;
            texts have `input_ids`, `attention_mask` and perhaps `token_type_ids`
    """
    needed = ("onnx", "onnxscript", "onnxruntime")
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        raise missing_extra("exporter 'onnx'", ", ".join(missing), "onnx")
    import torch

    preprocessor = preprocessor_of(bundle, "onnx", input)
    inputs = bundle.export_signature.inputs(example_of(bundle))
    names = list(inputs) if preprocessor is None else list(preprocessor.example)
    if input_name is not None and len(names) > 1:
        raise ExperimentError(f"exporter 'onnx': input_name: this model has several inputs, {', '.join(names)}")
    in_front = None if preprocessor is None else preprocessor.onnx(opset)
    for name in ("onnx_ir", "onnxscript"):  # what they do not optimize is not for the user
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            bundle.export_signature.module,
            tuple(inputs.values()),
            input_names=list(inputs),
            output_names=list(bundle.outputs),
            dynamic_shapes=dynamic_axes(bundle.export_signature.free, bundle.export_signature.limits),
            opset_version=opset,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    strip_onnx(program.model)
    if in_front is not None:
        onnx_model.prepend(program.model, in_front)
    if input_name is not None:
        program.model.graph.inputs[0].name = input_name
    about = metadata_of(bundle, preprocessor)
    if input_name is not None:
        about["inputs"] = {input_name: about["inputs"][names[0]]}
    for key, value in about.items():
        program.model.metadata_props[key] = value if isinstance(value, str) else dumps(value)
    program.save(path, external_data=weight_bytes(bundle) > PROTOBUF_LIMIT)
    return finish_onnx(bundle, path, input, input_name)


@exporter.register(suffix=".pt2")
def torch_export(bundle: Bundle, path: Path, *, input: Input | None = None) -> Loaded:
    """PyTorch's own format, for `torch.export.load` and AOTInductor: one file, batches of any size.

    It gives a tuple: probabilities and logits; in regression one tensor, in the units of the labels.

    Settings:
        input: what a model of pictures takes: images, uint8 (batch, height, width, 3) of any height and width; or
            pixels, uint8 (batch, 3, height, width), resized and cropped already; images unless set
    """
    import torch

    preprocessor = preprocessor_of(bundle, "torch_export", input)
    module, inputs = bundle.export_signature.module, dict(bundle.export_signature.inputs(example_of(bundle)))
    free = dynamic_axes(bundle.export_signature.free, bundle.export_signature.limits)
    if preprocessor is not None:
        module = torch.nn.Sequential(preprocessor.module, module).eval()
        inputs = {name: torch.from_numpy(array) for name, array in preprocessor.example.items()}
        free = dynamic_axes(preprocessor.free, {})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(module, tuple(inputs.values()), dynamic_shapes=free)
        strip_program(program)
        content = io.BytesIO()  # PyTorch's own writing of a file aborts the process where the disk is full
        about = dumps(metadata_of(bundle, preprocessor), indent=2)
        torch.export.save(program, content, extra_files={"ftaug.json": about})
        path.write_bytes(content.getbuffer())
        loaded = torch.export.load(path).module()
    _write_beside(bundle, path)
    write_script(bundle, path, TORCH_EXPORT, next(iter(inputs)))

    feeds = feeds_of(bundle, input)

    @torch.inference_mode()
    def run(batch: SampleBatch) -> Mapping[str, Tensor]:
        rows = [loaded(*(torch.from_numpy(array) for array in feed.values())) for feed in feeds(batch)]
        return dict(zip(bundle.outputs, (torch.cat(column) for column in zip(*rows, strict=True)), strict=True))

    return run


@exporter.register(suffix=".safetensors", one_network=True)
def safetensors(bundle: Bundle, path: Path) -> Loaded:
    """The weights with their names in PyTorch, and a JSON file with the metadata.

    In regression the network predicts in the units of the data, unless the JSON file has a `scale`: then multiply its
    output by `std` and add `mean`.
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
    if bundle.construction is not None:
        runner = construction_runner(
            bundle.construction, bundle.activation, is_calibrated=bundle.calibration is not None
        )
        write_script(bundle, path, runner, "pixels")
    loaded = copy.deepcopy(bundle.model)
    with torch.no_grad():
        for tensor in _network(loaded).state_dict().values():
            tensor.zero_()
    load_model(_network(loaded), str(path))
    return _in_torch(lambda batch: loaded(batch.inputs))


@exporter.register(suffix=".adapter.safetensors", one_network=True)
def adapter(bundle: Bundle, path: Path) -> Loaded:
    """The weights added by a method, without the pretrained weights: a small file to start another run from.

    A run starts from it by the setting `weights` of its method, such as `method: {lora: {weights: FILE}}`, with
    the same pretrained weights, whose hash the file contains.
    """
    if bundle.adapter is None:
        raise ExperimentError("exporter 'adapter': the run has no method that adds weights; use safetensors")
    from safetensors.torch import load_file, save

    about = {**description(bundle), "method": bundle.adapter.method, "base": bundle.adapter.base}
    tensors = {name: tensor.cpu().contiguous() for name, tensor in bundle.adapter.tensors.items()}
    path.write_bytes(save(tensors, {"ftaug": dumps(about)}))
    model = bundle.adapter.applied(load_file(path))
    return _in_torch(lambda batch: model(batch.inputs))


@exporter.register(suffix="-transformers", one_network=True)
def transformers(bundle: Bundle, path: Path) -> Loaded:
    """A folder for `from_pretrained` and `pipeline` of the library transformers: weights, classes and preprocessing.

    Pictures need a network of timm, or a ResNet or DenseNet of torchvision; `timm.create_model("local-dir:FOLDER")`
    loads the folder, too.
    """
    if bundle.save is None:
        raise ExperimentError(
            "exporter 'transformers': neither transformers nor timm has this network; "
            "use onnx, torch_export or safetensors"
        )
    if find_spec("transformers") is None:
        raise missing_extra("exporter 'transformers'", "transformers", "text")
    if bundle.scale is not None:
        raise ExperimentError("exporter 'transformers': the target scale cannot be folded into the last layer")
    library: Any = import_module("transformers")
    library.logging.set_verbosity_error()
    library.logging.disable_progress_bar()
    bundle.save(path)
    config = library.AutoConfig.from_pretrained(path)
    config.problem_type = PROBLEM_TYPES[bundle.activation]
    config.name_or_path = ""  # else older versions write where the encoder lay
    if (thresholds := uncalibrated_thresholds(bundle)) is not None:
        config.thresholds = thresholds
    config.save_pretrained(path)
    about = metadata_of(bundle, bundle.export_signature.preprocessor)
    (path / METADATA_FILE).write_text(dumps(about, indent=2) + "\n", encoding="utf-8")
    for file in path.iterdir():
        file.chmod((path / "config.json").stat().st_mode)
    task = bundle.export_signature.pipeline_task
    runner = pipeline_runner(task, bundle.activation, is_calibrated=bundle.calibration is not None)
    write_script(bundle, path, runner, "sample")
    model = getattr(library, task.model_class).from_pretrained(path).eval()
    inputs = task.inputs(path)
    return _in_torch(lambda batch: model(**inputs(batch)).logits)


def _write_beside(bundle: Bundle, path: Path) -> None:
    """Write the files of the preprocessing (such as a tokenizer) into the artifact's folder."""
    for name, content in bundle.export_signature.files.items():
        path.with_name(name).write_text(content, encoding="utf-8")


def _network(model: Any) -> Any:
    """Return the network inside a model, whose weights have the names of its library."""
    return getattr(model, "network", model)


def weight_bytes(bundle: Bundle) -> int:
    """Compute the bytes of a network's weights and buffers."""
    return sum(tensor.numel() * tensor.element_size() for tensor in bundle.model.state_dict().values())


def _in_torch(model: Callable[[SampleBatch], Tensor]) -> Loaded:
    """Return a function that computes logits in PyTorch."""
    import torch

    def run(batch: SampleBatch) -> Mapping[str, Tensor]:
        with torch.inference_mode():
            return {"logits": model(batch)}

    return run


def finish_onnx(bundle: Bundle, path: Path, input: Input | None, input_name: str | None) -> Loaded:
    """Write the files beside an ONNX model and load it into ONNX Runtime."""
    preprocessor = built_in(bundle, input)
    names = bundle.export_signature.inputs(bundle.example) if preprocessor is None else preprocessor.example
    _write_beside(bundle, path)
    write_script(bundle, path, onnx_runner(input_name), next(iter(names)))
    return onnx_model.runner(path, bundle.outputs, feeds_of(bundle, input, input_name))
