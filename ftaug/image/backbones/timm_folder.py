"""Save model folders in timm's layout, which timm, transformers and the Hugging Face hub load."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ftaug.config.strict_json import dumps
from ftaug.errors import ExperimentError
from ftaug.image.preprocessing import box_of

ADAPTATION_KEYS = ("first_conv", "classifier", "fixed_input_size")
"""Keys that timm needs to load the weights into a network with other classes, channels or size."""


def save(
    folder: Path,
    network: Any,
    architecture: str,
    classes: Sequence[str],
    preprocessing: Mapping[str, Any],
    pretrained_cfg: Mapping[str, Any],
    model_args: Mapping[str, Any],
) -> None:
    """Write `config.json` and `model.safetensors`; raises ExperimentError for a preprocessing not supported by timm.

    `pretrained_cfg` is timm's for the architecture, `model_args` are further arguments of `timm.create_model`.
    """
    from safetensors.torch import save_model

    config = {
        "architecture": architecture,
        "architectures": ["TimmWrapperForImageClassification"],
        "model_type": "timm_wrapper",
        "num_classes": len(classes),
        "label_names": list(classes),
        "pretrained_cfg": {
            **{key: pretrained_cfg[key] for key in ADAPTATION_KEYS if pretrained_cfg.get(key) is not None},
            **data_config(preprocessing),
            "custom_load": False,
        },
        "model_args": dict(model_args),  # also where empty: transformers would write null, on which timm fails
    }
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(dumps(config, indent=2) + "\n", encoding="utf-8")
    save_model(network, str(folder / "model.safetensors"), metadata={"format": "pt"})


def data_config(preprocessing: Mapping[str, Any]) -> dict[str, Any]:
    """Convert the preprocessing to timm's data config; raises ExperimentError if there is no equivalent."""
    size, resize = preprocessing["size"], preprocessing["resize"]
    mode = preprocessing.get("crop_mode", "center")
    if mode == "center" and resize is None:
        mode = "squash"
    if mode == "center" and size[0] != size[1]:
        raise ExperimentError(
            f"exporter 'transformers': timm cannot crop {size[0]}×{size[1]} pixels out of a shorter side of {resize}; "
            "use onnx, torch_export or safetensors, or train with a square input.size"
        )
    box = (resize, resize) if mode == "center" else box_of(preprocessing)
    return {
        "input_size": [3, *size],
        "interpolation": preprocessing["interpolation"],
        "crop_pct": _crop_pct(size, box),
        "crop_mode": mode,
        "mean": list(preprocessing["mean"]),
        "std": list(preprocessing["std"]),
    }


def _crop_pct(size: Sequence[int], box: Sequence[int]) -> float:
    """Return timm's `crop_pct`, the crop as a share of the box, in few digits; timm rounds the resulting box down."""
    smallest = max(side / (length + 1) for side, length in zip(size, box, strict=True))
    largest = min(side / length for side, length in zip(size, box, strict=True))
    shares = (round(largest, 3), round(largest, 4), (smallest + largest) / 2)
    return next(
        share
        for share in shares
        if all(math.floor(side / share) == length for side, length in zip(size, box, strict=True))
    )
