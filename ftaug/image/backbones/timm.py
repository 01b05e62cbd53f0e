"""The networks of the timm library, under `timm/` and their name there."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Sequence
from typing import Any

from ftaug.errors import ExperimentError, MissingInput, missing_extra, one_of
from ftaug.image import backbone
from ftaug.image.backbones.stages import by_groups, by_position
from ftaug.interfaces import Backbone, Stage
from ftaug.weights import WeightFile, Weights, fill, first_line, is_file, preprocessing_in, read


@backbone.family("timm/")
def timm(name: str, classes: Sequence[str], *, weights: Weights = "imagenet") -> Backbone:
    """A network of timm, such as timm/convnext_tiny or timm/vit_small_patch16_224.augreg_in21k.

    Settings:
        weights: imagenet (timm's default for the network), the tag of other weights, none, or a file
    """
    try:
        import timm as library
    except ImportError:
        raise missing_extra(f"backbone '{name}'", "timm", "timm") from None
    tagged = _tagged(name, weights)
    network: Any = library.create_model(tagged, num_classes=len(classes))
    stages = _stages(network)

    def load() -> None:
        if weights == "none":
            return
        file = read(weights) if is_file(weights) else _download(tagged, len(classes))
        fill(network, file, head=stages[-1], classes=classes)

    preprocessing = (preprocessing_in(weights) if is_file(weights) else None) or _preprocessing(network)
    described = weights if is_file(weights) or weights == "none" else f"timm {network.pretrained_cfg['architecture']}"
    return Backbone(network, stages, preprocessing, load, {"weights": described})


def _tagged(name: str, weights: str) -> str:
    """The name in timm, with the tag of the weights where one is asked for. Raises ExperimentError."""
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


def _stages(network: Any) -> tuple[Stage, ...]:
    return by_groups(_groups(network), list(_head(network)))


def _groups(network: Any) -> list[list[str]]:
    """The parameters as timm groups them, from the input on."""
    from timm.models import group_parameters

    for coarse in (True, False):
        try:
            found = group_parameters(network, network.group_matcher(coarse=coarse))
        except (AttributeError, AssertionError, NotImplementedError):  # not every network offers both, or any
            continue
        return [found[index] for index in sorted(found)]
    return by_position(name for name, _ in network.named_parameters())


def _head(network: Any) -> Iterator[str]:
    """The parameters of the layers that give the logits."""
    classifier = network.get_classifier()
    heads = classifier if isinstance(classifier, (tuple, list)) else (classifier,)
    of_head = {id(parameter) for head in heads for parameter in head.parameters()}
    return (name for name, parameter in network.named_parameters() if id(parameter) in of_head)


def _preprocessing(network: Any) -> dict[str, Any]:
    from timm.data.config import resolve_model_data_config

    config = resolve_model_data_config(network)  # type: ignore[no-untyped-call]
    size = list(config["input_size"][1:])
    squash = config["crop_mode"] != "center"
    return {
        "mean": list(config["mean"]),
        "std": list(config["std"]),
        "size": size,
        "resize": None if squash else math.floor(min(size) / config["crop_pct"]),
        "interpolation": config["interpolation"],
    }


def _download(tagged: str, classes: int) -> WeightFile:
    """Let timm fetch weights and fit them to the network, by making a second one."""
    import timm as library

    try:
        donor = library.create_model(tagged, pretrained=True, num_classes=classes)
    except (OSError, RuntimeError) as error:
        raise MissingInput(
            f"cannot download the weights of timm/{tagged} ({first_line(error)}): "
            "download them elsewhere and set weights to the file"
        ) from None
    return WeightFile(f"timm/{tagged}", donor.state_dict())
