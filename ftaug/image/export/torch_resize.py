"""Resize and crop an image axis in torch, by Pillow's integer weights, for `torch.export` with dynamic image sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ftaug.image.render.pillow_resize import LOW_BITS, SUPPORT, WEIGHT_BITS

if TYPE_CHECKING:
    from torch import Tensor


class _Taps(NamedTuple):
    """The pixels that each pixel is a weighted sum of; all have the shape (places, taps)."""

    indices: Tensor  # int64
    high: Tensor  # the high and the low half of their integer weights, float32, as in pillow_resize
    low: Tensor


def resized(pixels: Tensor, length: Any, full: Any, places: Tensor, mode: str) -> Tensor:
    """Resize `length` pixels to `full`, of which those at some places, int64, are returned: uint8 (length, N).

    `length` and `full` may be symbolic integers.
    """
    import torch
    from torch.nn.functional import embedding_bag

    if mode == "nearest":
        return pixels[_centers(length, full, places).long()]
    taps = _taps(length, full, places, mode)
    levels = pixels.float()
    # With offsets, the result has a fixed length whatever the number of taps.
    offsets = torch.arange(places.shape[0], device=places.device) * taps.indices.shape[1]
    low, high = (
        embedding_bag(taps.indices.flatten(), levels, offsets, per_sample_weights=half.flatten(), mode="sum")
        for half in (taps.low, taps.high)
    )
    total = high + torch.floor(low) + 2 ** (WEIGHT_BITS - LOW_BITS - 1)
    return torch.floor(total * 2.0 ** (LOW_BITS - WEIGHT_BITS)).clamp(0, 255).to(torch.uint8)


def _taps(length: Any, full: Any, places: Tensor, mode: str) -> _Taps:
    import torch

    support, centers = SUPPORT[mode], _centers(length, full, places)[:, None]
    width = _scale(length, full, places).clamp(min=1)
    first = torch.floor(centers - support * width + 0.5).clamp(min=0)
    last = torch.floor(centers + support * width + 0.5).clamp(max=length)
    most = 2 * support * ((torch.sym_max(length, full) + full - 1) // full) + 1
    indices = first + torch.arange(most, dtype=torch.float64, device=places.device)
    x = (indices - centers + 0.5).abs() * (1 / width)
    if support == 1:
        weights = (1 - x).clamp(min=0)
    else:
        near, far = (1.5 * x - 2.5) * x * x + 1, (((x - 5) * x + 8) * x - 4) * -0.5
        weights = torch.where(x < 1, near, torch.where(x < 2, far, 0))
    weights = torch.where(indices < last, weights, 0)
    weights = torch.floor(weights / weights.sum(1, keepdim=True) * 2**WEIGHT_BITS + 0.5)
    high = torch.floor(weights / 2**LOW_BITS)
    low = weights / 2**LOW_BITS - high
    return _Taps(indices.clamp(max=length - 1).long(), high.float(), low.float())


def _centers(length: Any, full: Any, places: Tensor) -> Tensor:
    """Return where the centers of resized pixels lie among the `length` pixels, float64 (places,)."""
    return (places.double() + 0.5) * _scale(length, full, places)


def _scale(length: Any, full: Any, places: Tensor) -> Tensor:
    """Divide possibly symbolic integers in float64, as a tensor."""
    import torch

    scale: Tensor = torch.ones((), dtype=torch.float64, device=places.device) * length / full
    return scale
