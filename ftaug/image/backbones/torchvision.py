"""Classification networks of torchvision with ImageNet weights."""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftaug.config.experiment import WEIGHTS_INPUT, ModelInput
from ftaug.errors import BadData, ExperimentError, MissingInput, Problem, first_line, missing_extra, one_of
from ftaug.image import backbone
from ftaug.image.backbones import timm_folder
from ftaug.image.backbones.sizes import check_runs, check_single_size, fitting_weights, resampled_positions
from ftaug.image.backbones.stages import Rule, by_rules, pooled
from ftaug.image.preprocessing import adjusted
from ftaug.interfaces.model import Backbone, Construction
from ftaug.weights import WeightFile, Weights, facts_of, fill, is_file, is_offline, preprocessing_in, read

if TYPE_CHECKING:
    from torch import Tensor
    from torchvision.models import WeightsEnum

# fmt: off
NAMES = (
    "alexnet", "convnext_base", "convnext_large", "convnext_small", "convnext_tiny", "densenet121", "densenet161",
    "densenet169", "densenet201", "efficientnet_b0", "efficientnet_b1", "efficientnet_b2", "efficientnet_b3",
    "efficientnet_b4", "efficientnet_b5", "efficientnet_b6", "efficientnet_b7", "efficientnet_v2_l",
    "efficientnet_v2_m", "efficientnet_v2_s", "googlenet", "inception_v3", "maxvit_t", "mnasnet0_5", "mnasnet0_75",
    "mnasnet1_0", "mnasnet1_3", "mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small", "regnet_x_16gf",
    "regnet_x_1_6gf", "regnet_x_32gf", "regnet_x_3_2gf", "regnet_x_400mf", "regnet_x_800mf", "regnet_x_8gf",
    "regnet_y_128gf", "regnet_y_16gf", "regnet_y_1_6gf", "regnet_y_32gf", "regnet_y_3_2gf", "regnet_y_400mf",
    "regnet_y_800mf", "regnet_y_8gf", "resnet101", "resnet152", "resnet18", "resnet34", "resnet50",
    "resnext101_32x8d", "resnext101_64x4d", "resnext50_32x4d", "shufflenet_v2_x0_5", "shufflenet_v2_x1_0",
    "shufflenet_v2_x1_5", "shufflenet_v2_x2_0", "squeezenet1_0", "squeezenet1_1", "swin_b", "swin_s", "swin_t",
    "swin_v2_b", "swin_v2_s", "swin_v2_t", "vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19",
    "vgg19_bn", "vit_b_16", "vit_b_32", "vit_h_14", "vit_l_16", "vit_l_32", "wide_resnet101_2", "wide_resnet50_2",
)

_FOUR_STAGES: tuple[Rule, ...] = (  # each later stage begins with its downsampling
    (r"features\.0", "stem"), (r"features\.1", "stage1"), (r"features\.[23]", "stage2"), (r"features\.[45]", "stage3"),
    (r"features\.[67]", "stage4"),
)

_RULES: Mapping[str, tuple[Rule, ...]] = {
    "alexnet|vgg": ((r"classifier\.6", "head"), (r"classifier\.\d", "hidden")),
    "convnext": (*_FOUR_STAGES, (r"classifier\.0", "norm"), (r"classifier\.2", "head")),
    "densenet": (
        (r"features\.(?:conv0|norm0)", "stem"), (r"features\.norm5", "norm"),
        (r"features\.(denseblock\d|transition\d)", r"\1"), ("classifier", "head"),
    ),
    "efficientnet": ((r"features\.0", "stem"), (r"features\.(\d+)", r"stage\1"), (r"classifier\.1", "head")),
    "googlenet": ((r"conv\d", "stem"), (r"(inception\w+)", r"\1"), ("fc", "head")),
    "inception": ((r"Conv2d\w+", "stem"), (r"(Mixed\w+)", r"\1"), ("fc", "head")),
    "maxvit": (
        ("stem", "stem"), (r"blocks\.(\d)", r"block\1"), (r"classifier\.2", "norm"), (r"classifier\.3", "hidden"),
        (r"classifier\.5", "head"),
    ),
    "mnasnet": (
        (r"layers\.[0-7]", "stem"), *((rf"layers\.{7 + n}", f"block{n}") for n in range(1, 7)),
        (r"layers\.(?:14|15)", "last_conv"), (r"classifier\.1", "head"),
    ),
    "mobilenet_v2": ((r"features\.0", "stem"), (r"features\.(\d+)", r"block\1"), (r"classifier\.1", "head")),
    "mobilenet_v3": (
        (r"features\.0", "stem"), (r"features\.(\d+)", r"block\1"), (r"classifier\.0", "hidden"),
        (r"classifier\.3", "head"),
    ),
    "regnet": (("stem", "stem"), (r"trunk_output\.(block\d)", r"\1"), ("fc", "head")),
    "resnet|resnext|wide_resnet": (("conv1|bn1", "stem"), (r"(layer\d)", r"\1"), ("fc", "head")),
    "shufflenet": (("conv1", "stem"), (r"(stage\d)", r"\1"), ("conv5", "last_conv"), ("fc", "head")),
    "squeezenet": ((r"classifier\.1", "head"),),
    "swin": (*_FOUR_STAGES, ("norm", "norm"), ("head", "head")),
    "vit": (
        (r"conv_proj|class_token|encoder\.pos_embedding", "stem"),
        (r"encoder\.layers\.encoder_layer_(\d+)", r"block\1"), (r"encoder\.ln", "norm"), (r"heads\.head", "head"),
    ),
}
# fmt: on

_WITH_HEAD = ("norm", "hidden")
"""Stages after the last block, treated as a part of the head."""

_NO_WEIGHT_DECAY = (
    "class_token",
    "encoder.pos_embedding",
    "*.relative_position_bias_table",
    "*.layer_scale",
    "*.logit_scale",
    "*.cpb_mlp.*",
)

_SAME_IN_TIMM = "densenet|resnet|resnext|wide_resnet"
"""Networks that timm has under the same name, with the same parameter names."""

NON_COMMERCIAL = "CC-BY-NC-4.0"
"""The license of the weights of SWAG (Singh et al. 2022)."""

_AUXILIARY = r"(aux1|aux2|AuxLogits)\."  # heads of GoogLeNet and Inception that only training from scratch uses


@backbone.family(NAMES)
def torchvision(
    name: str, classes: Sequence[str], input: ModelInput = WEIGHTS_INPUT, *, weights: Weights = "imagenet"
) -> Backbone:
    """A network of torchvision, with ImageNet weights by default.

    Settings:
        weights: imagenet (torchvision's best), the name of one of its weights such as IMAGENET1K_V2, none, or a file
    """
    chosen = _member(name, weights)
    expected = (preprocessing_in(weights) if is_file(weights) else None) or preprocessing_of(chosen)
    preprocessing = adjusted(expected, input)
    network, construction = _build(name, len(classes), preprocessing["size"], input, scratch=weights == "none")
    check_runs(name, network, input)
    rules = next(rules for prefix, rules in _RULES.items() if re.match(prefix, name))
    if re.match("alexnet|vgg|squeezenet", name):
        rules = (*rules, *pooled(network.features))
    stages = by_rules(network, rules, _WITH_HEAD)
    named = not is_file(weights) and weights != "none"
    facts = facts_of(f"torchvision {chosen}", license_of(chosen)) if named else facts_of(weights)

    def load() -> None:
        if weights != "none":
            file = read(weights) if is_file(weights) else _download(chosen)
            convert = partial(_with_positions, network)
            with fitting_weights(name, input):
                facts.update(
                    fill(network, file.renamed(_modern_name), head=stages[-1], classes=classes, convert=convert)
                )

    path = Path(str(weights)) if is_file(weights) else _cached(chosen)
    stored = None if weights == "none" else path.is_file
    return Backbone(
        network,
        stages,
        preprocessing,
        load,
        facts,
        partial(_save, name=name, network=network, classes=classes, preprocessing=preprocessing),
        no_weight_decay=_NO_WEIGHT_DECAY,
        stored=stored,
        construction=construction,
    )


def license_of(chosen: WeightsEnum) -> str:
    """Return the license of weights: that of torchvision, but for SWAG's, which name their own."""
    return NON_COMMERCIAL if "SWAG" in chosen.name else "BSD-3-Clause"


def _member(name: str, weights: Weights) -> WeightsEnum:
    """Return the weights enum member; for a file or none, the one whose preprocessing is used."""
    from torchvision.models import get_model_weights

    members = get_model_weights(name)
    if weights in ("imagenet", "none") or is_file(weights):
        return members.DEFAULT
    known = [member.name for member in members]
    if weights not in known:
        expected = one_of(["imagenet", *known, "none", "a file"])
        raise ExperimentError(f"backbone.{name}.weights must be {expected}; got '{weights}'")
    return members[str(weights)]


def preprocessing_of(weights: WeightsEnum) -> dict[str, Any]:
    """Return the preprocessing of the weights' evaluation transform."""
    preset = weights.transforms()
    return {
        "mean": list(preset.mean),
        "std": list(preset.std),
        "size": preset.crop_size * 2,
        "resize": preset.resize_size[0],
        "interpolation": preset.interpolation.value,
    }


def _build(name: str, classes: int, size: Sequence[int], input: ModelInput, scratch: bool) -> tuple[Any, Construction]:
    import torch
    from torchvision.models import get_model

    options: dict[str, Any] = {}
    if name in ("googlenet", "inception_v3"):  # transform_input: their weights were trained on -1..1
        options = {"aux_logits": False, "transform_input": True, "init_weights": scratch}
    elif name.startswith("vit_"):
        check_single_size(name, input, size)
        options = {"image_size": _square(name, input, size)}
    elif name == "maxvit_t":
        check_single_size(name, input, size)
        options = {"input_size": tuple(size)}
    try:
        network = get_model(name, weights=None, num_classes=classes, **options)
    except (ValueError, AssertionError) as error:
        text = f"input.size: {name} does not support {size[0]}×{size[1]} pixels ({first_line(error)})"
        raise ExperimentError(Problem(text, input.place)) from None
    if name.startswith("squeezenet"):  # torchvision clips its logits at 0, where no gradient leads away from
        network.classifier[2] = torch.nn.Identity()
    return network, _construction(name, {"num_classes": classes, **options})


def _construction(name: str, options: Mapping[str, Any]) -> Construction:
    arguments = ", ".join(f"{key}={value!r}" for key, value in options.items())
    code = f'network = torchvision.models.get_model("{name}", {arguments})'
    if name.startswith("squeezenet"):
        code += "\nnetwork.classifier[2] = torch.nn.Identity()"
    return Construction(("import torchvision",), ("torchvision",), code)


def _save(folder: Path, name: str, network: Any, classes: Sequence[str], preprocessing: Mapping[str, Any]) -> None:
    """Save the network as timm's of the same name; raises ExperimentError if timm has no identical network."""
    if not re.match(_SAME_IN_TIMM, name):
        raise ExperimentError(
            f"exporter 'transformers': transformers cannot load torchvision's {name}, only its ResNets and DenseNets; "
            "use onnx, torch_export or safetensors"
        )
    if find_spec("timm") is None:
        raise missing_extra("exporter 'transformers'", "timm", "timm")
    import timm

    known = timm.get_pretrained_cfg(name)
    assert known is not None
    timm_folder.save(folder, network, name, classes, preprocessing, asdict(known), {})


def _square(name: str, input: ModelInput, size: Sequence[int]) -> int:
    """Return the side of a square size; raises ExperimentError for others."""
    if size[0] != size[1]:
        text = f"input.size must be a square for {name}; got {size[0]}×{size[1]}"
        raise ExperimentError(Problem(text, input.place))
    return size[0]


def _with_positions(network: Any, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Resample the position embeddings to the network's input size."""
    positions = tensors.get("encoder.pos_embedding")
    if positions is not None and positions.shape[1:] != network.encoder.pos_embedding.shape[1:]:
        side = network.image_size // network.patch_size
        tensors["encoder.pos_embedding"] = resampled_positions(positions, (side, side), others=1)
    return tensors


def _modern_name(key: str) -> str | None:
    """Return the current name of a tensor in an older torchvision file; None for an unused one."""
    if re.match(_AUXILIARY, key):
        return None
    return re.sub(r"(denselayer\d+\.(?:norm|conv))\.(\d)", r"\1\2", key)


def _cached(weights: WeightsEnum) -> Path:
    """Return the path of the weights in the torch.hub cache."""
    import torch

    return Path(torch.hub.get_dir(), "checkpoints", Path(weights.url).name)


def _download(weights: WeightsEnum) -> WeightFile:
    """Load weights from the torch.hub cache, downloading them if necessary. Raises MissingInput, BadData."""
    cached = _cached(weights)
    try:
        if is_offline() and not cached.is_file():
            raise OSError("offline")
        return WeightFile(str(cached), weights.get_state_dict(progress=False, check_hash=True))
    except OSError as error:
        reason = first_line(error)
        raise MissingInput(f"cannot download {weights.url} ({reason}): put that file at {cached}") from None
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise BadData(f"{cached} is not what {weights.url} holds ({first_line(error)}): delete it") from None
