"""Backbones of the timm library, as `timm/<name>`."""

from __future__ import annotations

import difflib
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftaug.config.experiment import WEIGHTS_INPUT, ModelInput
from ftaug.errors import ExperimentError, MissingInput, Problem, first_line, is_lack_of_memory, missing_extra, one_of
from ftaug.image import backbone
from ftaug.image.backbones import timm_folder
from ftaug.image.backbones.sizes import check_runs, check_single_size, fitting_weights
from ftaug.image.backbones.stages import by_groups, by_position
from ftaug.image.preprocessing import adjusted, sides
from ftaug.interfaces.model import Backbone, Construction, Stage
from ftaug.weights import WeightFile, Weights, facts_of, fill, is_file, preprocessing_in, read

if TYPE_CHECKING:
    from torch import Tensor


@backbone.family("timm/")
def timm(
    name: str, classes: Sequence[str], input: ModelInput = WEIGHTS_INPUT, *, weights: Weights = "imagenet"
) -> Backbone:
    """A network of timm, such as timm/convnext_tiny or timm/vit_small_patch16_224.augreg_in21k.

    Settings:
        weights: imagenet (timm's default for the network), the tag of other weights, none, or a file
    """
    if not is_installed():
        raise missing_extra(f"backbone '{name}'", "timm", "timm")
    tagged = _tagged(name, weights)
    facts = facts_of(f"timm {tagged}")
    backbone = build(tagged, classes, input, weights, lambda: _download(tagged, len(classes), input), facts)
    named = not is_file(weights) and weights != "none"
    return replace(backbone, stored=partial(_is_cached, backbone.network)) if named else backbone


def is_installed() -> bool:
    """Return whether timm is installed."""
    return find_spec("timm") is not None


def build(
    name: str,
    classes: Sequence[str],
    input: ModelInput,
    weights: Weights,
    pretrained: Callable[[], WeightFile],
    facts: Mapping[str, Any],
) -> Backbone:
    """Build a backbone from the timm network of this name.

    `pretrained` reads the pretrained weights, described by `facts`, if the setting is neither none nor a file.
    """
    network, options = _create(name, len(classes), input)
    check_runs(f"timm/{name}", network, input)
    stages = _stages(network)
    named = not is_file(weights) and weights != "none"
    license = network.pretrained_cfg.get("license")
    description = {**({"license": license} if license else {}), **facts} if named else facts_of(weights)

    def load() -> None:
        if weights != "none":
            file = pretrained() if named else read(weights)
            convert = partial(_resampled, network, input)
            with fitting_weights(f"timm/{name}", input):
                description.update(fill(network, file, head=stages[-1], classes=classes, convert=convert))

    expected = (preprocessing_in(weights) if is_file(weights) else None) or preprocessing_of(network)
    preprocessing = adjusted(expected, input)
    if network.pretrained_cfg.get("fixed_input_size"):
        check_single_size(f"timm/{name}", input, preprocessing["size"])
    stored = Path(str(weights)).is_file if is_file(weights) else None
    spared = tuple(sorted(network.no_weight_decay())) if hasattr(network, "no_weight_decay") else ()
    save = partial(
        timm_folder.save,
        network=network,
        architecture=name.partition(".")[0],
        classes=classes,
        preprocessing=preprocessing,
        pretrained_cfg=network.pretrained_cfg,
        model_args={key: value for key, value in options.items() if key != "num_classes"},
    )
    arguments = ", ".join(f"{key}={value!r}" for key, value in options.items())
    construction = Construction(("import timm",), ("timm",), f'network = timm.create_model("{name}", {arguments})')
    return Backbone(
        network,
        stages,
        preprocessing,
        load,
        description,
        save,
        no_weight_decay=spared,
        stored=stored,
        construction=construction,
    )


def _tagged(name: str, weights: Weights) -> str:
    """Return the name in timm, with the tag of the requested weights. Raises ExperimentError."""
    import timm as library

    inner = name.removeprefix("timm/")
    architecture, _, tag = inner.partition(".")
    if not library.is_model(architecture):
        near = difflib.get_close_matches(architecture, library.list_models(), n=3)
        hint = f"; did you mean {one_of([f'timm/{n}' for n in near])}?" if near else ""
        raise ExperimentError(f"backbone: timm has no network '{architecture}'{hint}")
    tags = [known.partition(".")[2] for known in library.list_pretrained(f"{architecture}.*")]
    if tag and tag not in tags:
        raise ExperimentError(
            f"backbone: timm has no weights '{tag}' for {architecture}, only {one_of(tags or ['none'])}"
        )
    if weights == "none" or is_file(weights):
        return inner
    if weights == "imagenet":
        if not tags:
            raise ExperimentError(f"backbone.{name}.weights: timm has none for this network: set none or a file")
        return inner
    if weights not in tags or tag not in ("", weights):
        expected = one_of(["imagenet", *([] if tag else tags), "none", "a file"])
        raise ExperimentError(f"backbone.{name}.weights must be {expected}; got '{weights}'")
    return f"{architecture}.{weights}"


def _create(tagged: str, classes: int, input: ModelInput, *, pretrained: bool = False) -> tuple[Any, dict[str, Any]]:
    """Create a timm network, with `img_size` if it takes one; return it with its options.

    Raises ExperimentError.
    """
    import timm as library

    size = sides(input.size)
    options: dict[str, Any] = {"num_classes": classes}
    if size is not None:
        sized = {**options, "img_size": tuple(size)}
        try:
            return library.create_model(tagged, pretrained=pretrained, **sized), sized
        except TypeError as error:
            if "img_size" not in str(error):
                raise
        except (ValueError, AssertionError, RuntimeError) as error:
            if is_lack_of_memory(error):
                raise
            text = f"input.size: timm/{tagged} does not support {size[0]}×{size[1]} pixels ({first_line(error)})"
            raise ExperimentError(Problem(text, input.place)) from None
    return library.create_model(tagged, pretrained=pretrained, **options), options


def _resampled(network: Any, input: ModelInput, tensors: dict[str, Tensor]) -> Mapping[str, Tensor]:
    """Resample the tensors that depend on the input size with timm's `checkpoint_filter_fn` for the family."""
    convert = getattr(sys.modules[type(network).__module__], "checkpoint_filter_fn", None)
    if input.size is None or convert is None:
        return tensors
    converted: Mapping[str, Tensor] = convert(tensors, network)
    return converted


def _stages(network: Any) -> tuple[Stage, ...]:
    return by_groups(_groups(network), list(_head(network)))


def _groups(network: Any) -> list[list[str]]:
    """Return parameter names in timm's groups, ordered from the input on."""
    from timm.models import group_parameters

    for coarse in (True, False):
        try:
            groups = group_parameters(network, network.group_matcher(coarse=coarse))
        except (AttributeError, AssertionError, NotImplementedError):  # not every network offers both, or any
            continue
        return [groups[index] for index in sorted(groups)]
    return by_position(name for name, _ in network.named_parameters())


def _head(network: Any) -> Iterator[str]:
    """Yield the parameter names of the classifier layers."""
    classifier = network.get_classifier()
    heads = classifier if isinstance(classifier, (tuple, list)) else (classifier,)
    of_head = {id(parameter) for head in heads for parameter in head.parameters()}
    return (name for name, parameter in network.named_parameters() if id(parameter) in of_head)


def preprocessing_of(network: Any) -> dict[str, Any]:
    """Return the preprocessing of timm's evaluation transform; `crop_mode` is omitted for the default, center."""
    from timm.data.config import resolve_model_data_config

    config = resolve_model_data_config(network)  # type: ignore[no-untyped-call]
    size, mode = list(config["input_size"][1:]), config["crop_mode"]
    resize = math.floor(min(size) / config["crop_pct"])
    return {
        "mean": list(config["mean"]),
        "std": list(config["std"]),
        "size": size,
        "resize": None if mode != "center" and resize == min(size) else resize,
        "interpolation": config["interpolation"],
    } | ({} if mode == "center" else {"crop_mode": mode})


def _is_cached(network: Any) -> bool:
    """Return whether the weights are in the local cache of the Hugging Face hub or of torch.hub."""
    import torch
    from huggingface_hub import try_to_load_from_cache

    known = network.pretrained_cfg
    if known.get("hf_hub_id"):
        names = (known.get("hf_hub_filename"), "model.safetensors", "pytorch_model.bin")
        return any(isinstance(try_to_load_from_cache(known["hf_hub_id"], name), str) for name in names if name)
    return Path(torch.hub.get_dir(), "checkpoints", Path(known.get("url") or "none").name).is_file()


def _download(tagged: str, classes: int, input: ModelInput) -> WeightFile:
    """Download weights through timm, by creating a second, pretrained network. Raises MissingInput."""
    try:
        donor, _ = _create(tagged, classes, input, pretrained=True)
    except (OSError, RuntimeError) as error:
        if is_lack_of_memory(error):
            raise
        raise MissingInput(
            f"cannot download the weights of timm/{tagged} ({first_line(error)}): "
            "download them elsewhere and set weights to the file"
        ) from None
    return WeightFile(f"timm/{tagged}", donor.state_dict())
