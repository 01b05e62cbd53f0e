"""Augmentation on the GPU: the last warp of all images of a batch, and their color transforms.

Equal to the CPU up to rounding: OpenCV may round positions to 1/32 of a pixel. The mean difference is
below half a gray level.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ftaug.image.render.gpu_plan import Planned

BORDERS = {None: 2, "constant": 0, "reflect": 1, "replicate": 2, "inside": 2}


class PlannedBatch(NamedTuple):
    """Images of different sizes concatenated, with their remaining transforms; N images, K color transforms."""

    pixels: Tensor  # uint8 (total,): rows of RGB
    starts: Tensor  # int64 (N,): offset of each image in `pixels`
    sizes: Tensor  # int64 (N, 2): height and width of each image
    back: Tensor  # float32 (N, 3, 3): inverse homography, from the canvas to the image
    borders: Tensor  # int64 (N,): constant, reflect, replicate
    keeps_black: Tensor  # bool (N,)
    matrices: Tensor  # float32 (N, K, 7, 7)
    tables: Tensor  # uint8 (N, K, 256, 3)
    uses_table: Tensor  # bool (N, K)
    height: int  # of the canvas
    width: int


def packed(plans: Sequence[Planned]) -> PlannedBatch:
    """Pack planned images into one buffer, without padding, for the transfer to the device."""
    ends = np.cumsum([plan.pixels.size for plan in plans])
    count = max(len(plan.colors) for plan in plans)
    matrices = np.tile(np.eye(7, dtype=np.float32), (len(plans), count, 1, 1))
    tables = np.zeros((len(plans), count, 256, 3), np.uint8)
    uses_table = np.zeros((len(plans), count), bool)
    for i, plan in enumerate(plans):
        for k, color in enumerate(plan.colors):
            uses_table[i, k] = color.dtype == np.uint8
            (tables if uses_table[i, k] else matrices)[i, k] = color
    (height, width), *others = dict.fromkeys(plan.size for plan in plans)
    assert not others, "pictures of a batch have one size"
    return PlannedBatch(
        pixels=torch.from_numpy(np.concatenate([plan.pixels.reshape(-1) for plan in plans])),
        starts=torch.from_numpy(np.concatenate([[0], ends[:-1]])),
        sizes=torch.tensor([plan.pixels.shape[:2] for plan in plans]),
        back=torch.from_numpy(np.stack([plan.back for plan in plans]).astype(np.float32)),
        borders=torch.tensor([BORDERS[plan.border] for plan in plans]),
        keeps_black=torch.tensor([plan.keeps_black for plan in plans]),
        matrices=torch.from_numpy(matrices),
        tables=torch.from_numpy(tables),
        uses_table=torch.from_numpy(uses_table),
        height=height,
        width=width,
    )


def rendered(batch: PlannedBatch) -> Tensor:
    """Warp the images and apply their color transforms: uint8 (N, 3, H, W) in channels_last memory format."""
    pixels, shown = _warped(batch)
    if batch.matrices.shape[1]:
        hidden = (batch.keeps_black[:, None, None] & (shown < 1 - 1 / 512))[..., None]
        pixels = _recolored(pixels, batch, hidden)
    return pixels.to(torch.uint8).permute(0, 3, 1, 2)


def _warped(batch: PlannedBatch) -> tuple[Tensor, Tensor]:
    """Warp bilinearly: integral gray levels as float32 (N, H, W, 3), and the coverage by the image (N, H, W)."""
    device = batch.pixels.device
    y, x = torch.meshgrid(
        torch.arange(batch.height, device=device, dtype=torch.float32),
        torch.arange(batch.width, device=device, dtype=torch.float32),
        indexing="ij",
    )
    points = torch.stack([x, y, torch.ones_like(x)], dim=-1).view(1, -1, 3) @ batch.back.transpose(1, 2)
    points = (points[..., :2] / points[..., 2:]).clamp(-1e6, 1e6).view(-1, batch.height, batch.width, 2)
    corner = points.floor()
    share = points - corner
    total = points.new_zeros((*points.shape[:3], 3))
    shown = points.new_zeros(points.shape[:3])
    for down in (0, 1):
        for right in (0, 1):
            column, row = corner[..., 0].long() + right, corner[..., 1].long() + down
            across = share[..., 0] if right else 1 - share[..., 0]
            along = share[..., 1] if down else 1 - share[..., 1]
            values, inside = _taken(batch, row, column)
            weight = across * along * inside
            total += weight[..., None] * values
            shown += weight
    return total.round(), shown


def _taken(batch: PlannedBatch, row: Tensor, column: Tensor) -> tuple[Tensor, Tensor]:
    """Gather pixel values (N, H, W, 3), by the border mode outside the image, and a validity mask (N, H, W)."""
    height, width = (side.view(-1, 1, 1) for side in batch.sizes.unbind(1))
    border = batch.borders.view(-1, 1, 1)
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    row, column = (
        torch.where(border == 1, _reflected(place, length), torch.minimum(place.clamp(min=0), length - 1))
        for place, length in ((row, height), (column, width))
    )
    at = batch.starts.view(-1, 1, 1) + 3 * (row * width + column)
    values = batch.pixels[at[..., None] + torch.arange(3, device=at.device)]
    return values.float(), inside | (border != 0)


def _reflected(place: Tensor, length: Tensor) -> Tensor:
    """Reflect indices about the outermost pixels, which are not repeated (reflect_101)."""
    period = (2 * length - 2).clamp(min=1)
    place = place % period
    return torch.where(place < length, place, period - place).clamp(min=0)


def _recolored(pixels: Tensor, batch: PlannedBatch, hidden: Tensor) -> Tensor:
    """Apply color transforms in order, rounding to gray levels in between; hidden pixels stay black."""
    pixels = pixels.masked_fill(hidden, 0)
    seen = (~hidden).sum(dim=(1, 2)).clamp(min=1) if hidden.any() else pixels.new_tensor(batch.height * batch.width)
    for k in range(batch.matrices.shape[1]):
        matrix, table = batch.matrices[:, k], batch.tables[:, k]
        mean = pixels.sum(dim=(1, 2)) / seen
        shift = (matrix[:, :3, 3:6] @ mean[..., None])[..., 0] + matrix[:, :3, 6]
        linear = torch.einsum("nhwc,ndc->nhwd", pixels, matrix[:, :3, :3]) + shift[:, None, None]
        levels = pixels.long().flatten(1, 2)
        looked_up = table.gather(1, levels).view_as(pixels).float()
        chosen = torch.where(batch.uses_table[:, k, None, None, None], looked_up, linear.round().clamp(0, 255))
        pixels = chosen.masked_fill(hidden, 0)
    return pixels
