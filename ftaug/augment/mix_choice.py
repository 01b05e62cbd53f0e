"""Random choice between batch mixing methods (such as MixUp and CutMix), for any modality."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import AfterValidator

from ftaug.augment.random_streams import branches, named
from ftaug.augment.transform import ChoiceWeights, MixProbability, happens
from ftaug.config.kinds import mix
from ftaug.config.registry import Component
from ftaug.config.schema import OfKind, not_empty
from ftaug.config.types import Wording

if TYPE_CHECKING:
    from torch import Tensor

Mixes = Annotated[
    tuple[Annotated[Component, OfKind("mix")], ...],
    AfterValidator(not_empty),
    Wording("a list of at least one way of mixing"),
]


@mix.register
def one_of(
    inputs: Any,
    targets: Tensor,
    rng: np.random.Generator,
    *,
    choices: Mixes,
    weights: ChoiceWeights = None,
    probability: MixProbability = 1.0,
) -> tuple[Any, Tensor]:
    """Mix each step with one of several methods, chosen at random.

    Settings:
        choices: the methods, such as [mixup, cutmix]
    """
    fires, streams = happens(rng, probability), branches(rng)
    members = [(op, streams(name)) for name, op in named(choices)]
    arrivals = [
        stream.exponential() / weight
        for (_, stream), weight in zip(members, weights or [1] * len(choices), strict=True)
    ]
    chosen, stream = members[int(np.argmin(arrivals))]
    mixed: tuple[Any, Tensor] = chosen(inputs, targets, stream) if fires else (inputs, targets)
    return mixed
