"""How torchvision and timm prepare pictures for their weights."""

import cv2
import numpy as np
import timm
from pictures import texture
from timm.data import create_transform, resolve_data_config
from torchvision.models import get_model_weights

from ftaug.image.backbones import torchvision as torchvision_networks

MEAN, AT_99_PERCENT = 1.0, 2.0
"""How far the pixels may be from the oracle's, in gray levels."""
PLAIN = {"mean": [0.0] * 3, "std": [1.0] * 3}


def photo(height, width, seed):
    """Clouds, sharp shapes and grain: a smaller JPEG decode, or another filter, shows at once."""
    rng = np.random.default_rng(seed)
    pixels = np.ascontiguousarray(texture(height, width, seed))
    for _ in range(20):
        color = rng.integers(0, 256, 3).tolist()
        (x, y), (right, bottom) = rng.integers(0, [width, height], (2, 2)).tolist()
        cv2.rectangle(pixels, (x, y), (x + width // 8, y + height // 12), color, -1)
        cv2.circle(pixels, (y * width // height, y), min(height, width) // 12, color[::-1], -1, cv2.LINE_AA)
        cv2.line(pixels, (x, y), (right, bottom), color, 1 + height // 300, cv2.LINE_AA)
    return (pixels + rng.normal(scale=3, size=pixels.shape)).clip(0, 255).astype(np.uint8)


def torchvision_presets():
    """Weights of torchvision, one for each way to prepare a picture."""
    presets = {}
    for name in torchvision_networks.NAMES:
        for weights in get_model_weights(name):
            preset = weights.transforms()
            key = f"{preset.crop_size[0]} of {preset.resize_size[0]} {preset.interpolation.value}"
            presets.setdefault(key, weights)
    return presets


def by_torchvision(weights):
    transform = weights.transforms(**PLAIN)
    return lambda image: (255 * transform(image)).round().byte().permute(1, 2, 0).numpy()


def timm_configurations():
    """Configurations of timm's weights, one for each way to prepare a picture; no network is built."""
    configurations = {}
    for name in timm.list_pretrained():
        config = timm.get_pretrained_cfg(name).to_dict()
        resolved = resolve_data_config(pretrained_cfg=config)
        key = " ".join(str(resolved[part]) for part in ("input_size", "crop_pct", "crop_mode", "interpolation"))
        configurations.setdefault(key, config)
    return configurations


def by_timm(config):
    transform = create_transform(**resolve_data_config(pretrained_cfg=config))
    del transform.transforms[-2:]  # to a tensor, and normalized
    return lambda image: np.asarray(transform(image))


TORCHVISION, TIMM = torchvision_presets(), timm_configurations()


def quick_configurations():
    """A few of timm's configurations: for each crop mode, interpolation and kind of crop, the smallest input."""
    chosen = {}
    for key, config in sorted(TIMM.items(), key=lambda item: np.prod(item[1]["input_size"])):
        resolved = resolve_data_config(pretrained_cfg=config)
        crop = np.sign(resolved["crop_pct"] - 1)
        square = len({*resolved["input_size"][1:]}) == 1
        chosen.setdefault((resolved["crop_mode"], resolved["interpolation"], crop, square), key)
    return list(chosen.values())
