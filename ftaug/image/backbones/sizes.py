"""Use networks with other input sizes than they were pretrained with."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ftaug.config.experiment import ModelInput
from ftaug.errors import BadData, ExperimentError, Problem, first_line, is_lack_of_memory
from ftaug.image.preprocessing import sides

if TYPE_CHECKING:
    from torch import Tensor, nn


def check_runs(name: str, network: nn.Module, input: ModelInput) -> None:
    """Raise ExperimentError if a forward pass fails for the input sizes in the experiment file."""
    import torch

    for key, size in (("size", sides(input.size)), ("train_size", sides(input.train_size))):
        if size is None:
            continue
        was_training = network.training
        try:
            with torch.inference_mode():
                network.eval()(torch.zeros(1, 3, *size))
        except (RuntimeError, AssertionError, ValueError) as error:
            if is_lack_of_memory(error):
                raise
            text = f"input.{key}: {name} does not support {size[0]}×{size[1]} pixels ({first_line(error)})"
            raise ExperimentError(Problem(text, input.place)) from None
        finally:
            network.train(was_training)


def check_single_size(name: str, input: ModelInput, size: Sequence[int]) -> None:
    """Raise ExperimentError for a separate training size, if the network is built for a fixed size."""
    train_size = sides(input.train_size)
    if train_size is not None and train_size != tuple(size):
        text = f"input.train_size must be {size[0]}×{size[1]}: {name} is built for one size; leave it out"
        raise ExperimentError(Problem(text, input.place))


@contextmanager
def fitting_weights(name: str, input: ModelInput) -> Iterator[None]:
    """Name the input size in the error if weights do not fit a network built for another size."""
    try:
        yield
    except BadData as error:
        if input.size is None:
            raise
        text = f"input.size: the weights of {name} are for another size: {error}"
        raise ExperimentError(Problem(text, input.place)) from None


def resampled_positions(embedding: Tensor, grid: tuple[int, int], others: int) -> Tensor:
    """Resample position embeddings (1, others + old tokens, width) to another grid: antialiased bicubic, as in timm.

    `others` is the number of embeddings before the grid, such as the class token's. The old grid is a square.
    """
    import torch
    from torch.nn.functional import interpolate

    first, old = embedding[:, :others], embedding[:, others:]
    side = math.isqrt(old.shape[1])
    square = old.float().reshape(1, side, side, -1).permute(0, 3, 1, 2)
    new = interpolate(square, grid, mode="bicubic", antialias=True).permute(0, 2, 3, 1).flatten(1, 2)
    return torch.cat([first, new.to(embedding.dtype)], dim=1)
