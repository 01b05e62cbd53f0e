"""Resize and crop image axes in torch, by Pillow's integer weights, for `torch.export` with dynamic image sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ftaug.image.render.pillow_resize import LOW_BITS, SUPPORT, WEIGHT_BITS

if TYPE_CHECKING:
    from torch import Tensor


def resized_columns(pixels: Tensor, full: Any, places: Tensor, mode: str) -> Tensor:
    """Return the columns at some places, int64, of uint8 (N, C, H, W) resized to `full` columns.

    As a product of matrices, with halves of the weights that float32 represents exactly, as it does sums of 512 pixels.
    """
    sums = pixels.float() @ _halves(pixels.shape[3], full, places, mode)
    count = places.shape[0]
    return _levels(sums[..., :count], sums[..., count:])


def resized_rows(pixels: Tensor, full: Any, places: Tensor, mode: str) -> Tensor:
    """Return the rows at some places of uint8 (N, C, H, W) resized to `full` rows, as `resized_columns` does."""
    sums = _halves(pixels.shape[2], full, places, mode).T @ pixels.float()
    count = places.shape[0]
    return _levels(sums[..., :count, :], sums[..., count:, :])


def _halves(length: Any, full: Any, places: Tensor, mode: str) -> Tensor:
    """Return the high and the low halves of the weights side by side, float32 (length, 2 × places)."""
    import torch

    weights = _weights(length, full, places, mode)
    high = torch.floor(weights / 2**LOW_BITS)
    return torch.cat([high, weights / 2**LOW_BITS - high], 1).float()


def _levels(high: Tensor, low: Tensor) -> Tensor:
    """Round sums by high and low halves of the weights to uint8, as Pillow does."""
    import torch

    total = high + torch.floor(low) + 2 ** (WEIGHT_BITS - LOW_BITS - 1)
    return torch.floor(total * 2.0 ** (LOW_BITS - WEIGHT_BITS)).clamp(0, 255).to(torch.uint8)


def _weights(length: Any, full: Any, places: Tensor, mode: str) -> Tensor:
    """Compute the weights of all columns in those at the places, integers in float64 (length, places)."""
    import torch

    scale = torch.full((1,), 1.0, dtype=torch.float64, device=places.device) * length / full
    width = scale.clamp(min=1)
    centers = (places.double() + 0.5) * scale
    columns = torch.arange(length, dtype=torch.float64, device=places.device)[:, None]
    x = (columns + 0.5 - centers).abs() * (1 / width)
    if SUPPORT[mode] == 1:
        weights = (1 - x).clamp(min=0)
    else:
        near, far = (1.5 * x - 2.5) * x * x + 1, (((x - 5) * x + 8) * x - 4) * -0.5
        weights = torch.where(x < 1, near, torch.where(x < 2, far, 0))
    return torch.floor(weights / weights.sum(0) * 2**WEIGHT_BITS + 0.5)
