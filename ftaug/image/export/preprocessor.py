"""Image preprocessing inside exported models, which then take decoded images of any size."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from ftaug.image.evaluation import needs_padding, padding_color
from ftaug.image.export import onnx_graph
from ftaug.image.export.torch_resize import resized
from ftaug.image.io.decode import opened
from ftaug.image.preprocessing import box_of
from ftaug.interfaces.export import PipelineTask, Preprocessor, SampleBatch

EXAMPLE = (2, 331, 457, 3)
"""Shape of the example input: two images, of a size that is no model's."""


def preprocessor(preprocessing: Mapping[str, Any]) -> Preprocessor:
    """Return the evaluation preprocessing, without test-time views."""
    return Preprocessor(
        example={onnx_graph.INPUT: np.zeros(EXAMPLE, np.uint8)},
        free={onnx_graph.INPUT: {0: "batch", 1: "height", 2: "width"}},
        decoded=_decoded,
        onnx=partial(onnx_graph.graph, preprocessing),
        module=Preprocessing(preprocessing),
    )


def _decoded(raw: Any) -> dict[str, np.ndarray]:
    picture = opened(raw)
    return {onnx_graph.INPUT: np.ascontiguousarray(picture.turn.apply(picture.load(1)))[None]}


def _by_image_processor(folder: Path) -> Callable[[SampleBatch], Mapping[str, Tensor]]:
    from transformers import AutoImageProcessor

    processor = AutoImageProcessor.from_pretrained(folder)  # type: ignore[no-untyped-call]

    def inputs(batch: SampleBatch) -> Mapping[str, Tensor]:
        images = [Image.fromarray(_decoded(raw)[onnx_graph.INPUT][0]) for raw in batch.samples]
        return {**processor(images, return_tensors="pt")}

    return inputs


IMAGE_CLASSIFICATION = PipelineTask(
    "image-classification",
    "AutoModelForImageClassification",
    ("pillow", "timm", "torchvision"),
    (),
    _by_image_processor,
)


class Preprocessing(nn.Module):
    """Evaluation preprocessing (`evaluation.evaluated`) as a module, for `torch.export` with dynamic image sizes."""

    color: Tensor

    def __init__(self, preprocessing: Mapping[str, Any]) -> None:
        super().__init__()
        self.size = tuple(preprocessing["size"])
        self.mode = preprocessing.get("interpolation", "bilinear")
        self.crop_mode, self.resize = preprocessing.get("crop_mode", "center"), preprocessing.get("resize")
        self.box = box_of(preprocessing)
        self.pads = needs_padding(preprocessing)
        color = torch.tensor(padding_color(preprocessing), dtype=torch.uint8).view(1, 3, 1, 1)
        self.register_buffer("color", color, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Resize and crop or pad uint8 (N, H, W, 3) to uint8 (N, 3, *size)."""
        full = self._full_size(images.shape[1], images.shape[2])
        places = [_center(length, target, images.device) for length, target in zip(full, self.size, strict=True)]
        rows, columns = (place.clamp(0, length - 1) for place, length in zip(places, full, strict=True))
        samples, height, width, channels = images.shape
        pixels = images.permute(2, 1, 0, 3).contiguous().view(width, height * samples * channels)
        pixels = resized(pixels, width, full[1], columns, self.mode).view(-1, height, samples * channels)
        pixels = pixels.permute(1, 0, 2).contiguous().view(height, self.size[1] * samples * channels)
        pixels = resized(pixels, height, full[0], rows, self.mode).view(*self.size, samples, channels)
        pixels = pixels.permute(2, 3, 0, 1)
        if not self.pads:
            return pixels
        is_row, is_column = ((place >= 0) & (place < length) for place, length in zip(places, full, strict=True))
        return torch.where(is_row[:, None] & is_column, pixels, self.color)

    def _full_size(self, height: Any, width: Any) -> tuple[Any, Any]:
        """Compute `evaluation.resized_size` on symbolic integers."""
        if self.crop_mode == "center" and self.resize:
            shorter = torch.sym_min(height, width)
            return tuple(torch.sym_max(self.resize, side * self.resize // shorter) for side in (height, width))
        if self.crop_mode != "border":
            return self.box
        box_height, box_width = self.box
        fitted_height = torch.sym_min(box_height, _rounded(height * box_width, width))
        fitted_width = torch.sym_min(box_width, _rounded(width * box_height, height))
        return torch.sym_max(1, fitted_height), torch.sym_max(1, fitted_width)


def _center(length: Any, target: int, device: torch.device) -> Tensor:
    """Return the numbers of the rows or columns that a center crop shows; outside the image where it is smaller."""
    shown = torch.sym_min(length, target)
    first = _half_to_even(length - shown) - (target - shown) // 2
    return torch.arange(target, device=device).add(first)


def _half_to_even(number: Any) -> Any:
    """Compute `round(number / 2)` in integer arithmetic."""
    half = number // 2
    return half + (number % 2) * (half % 2)


def _rounded(dividend: Any, divisor: Any) -> Any:
    """Compute `round(dividend / divisor)` in integer arithmetic, for positive integers."""
    rounded = (2 * dividend + divisor) // (2 * divisor)
    is_half = 1 - torch.sym_min(1, (2 * dividend + divisor) % (2 * divisor))
    return rounded - is_half * (rounded % 2)
