"""Composite augmentations for any modality: `one_of`, `some_of`, `apply` (random apply) and `shuffle` (random order).

The random stream of an inner op, and its rank in every choice, depend on its name alone: removing an op from the
list leaves the draws of the others unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import AfterValidator

from ftaug.augment.random_streams import branches, named
from ftaug.augment.transform import ChoiceWeights, Seen, Transform, after, happens, namespaced
from ftaug.config.checks import Found, reads
from ftaug.config.experiment import Experiment
from ftaug.config.kinds import augmentation
from ftaug.config.problems import predicate
from ftaug.config.registry import Component, nested
from ftaug.config.schema import OfKind, not_empty
from ftaug.config.types import Count, Doc, Probability, Wording

Ops = Annotated[
    tuple[Annotated[Component, OfKind("augmentation")], ...],
    AfterValidator(not_empty),
    Wording("a list of at least one augmentation"),
]
OpProbability = Annotated[Probability, Doc("the chance that the op fires for a sample")]
OFTEN = {"probability": (0.0, 1.0)}


@augmentation.register(severity=OFTEN)
def one_of(
    seen: Seen,
    rng: np.random.Generator,
    *,
    choices: Ops,
    weights: ChoiceWeights = None,
    probability: OpProbability = 1.0,
) -> Sequence[Transform] | None:
    """Apply one of several augmentations, chosen at random.

    Settings:
        choices: the augmentations
    """
    return some_of(seen, rng, choices=choices, count=1, weights=weights, probability=probability)


@augmentation.register(severity=OFTEN)
def some_of(
    seen: Seen,
    rng: np.random.Generator,
    *,
    choices: Ops,
    count: Count = 2,
    weights: ChoiceWeights = None,
    probability: OpProbability = 1.0,
) -> Sequence[Transform] | None:
    """Apply a random choice of several augmentations, in the order of the list.

    Settings:
        choices: the augmentations
        count: how many are applied
    """
    fires, members = happens(rng, probability), _members(rng, choices)
    # Weighted sampling without replacement: the first arrivals of exponential clocks with rates `weights`.
    arrivals = [member.arrival / weight for member, weight in zip(members, weights or [1] * len(choices), strict=True)]
    last = sorted(arrivals)[min(count, len(members)) - 1]
    chosen = [member for member, arrival in zip(members, arrivals, strict=True) if arrival <= last]
    return _draw_all(chosen, seen) if fires else None


@augmentation.register(severity=OFTEN)
def apply(
    seen: Seen, rng: np.random.Generator, *, ops: Ops, probability: Probability = 0.5
) -> Sequence[Transform] | None:
    """Apply several augmentations, or none of them.

    Settings:
        ops: the augmentations, in this order
        probability: the chance that they are applied
    """
    fires, members = happens(rng, probability), _members(rng, ops)
    return _draw_all(members, seen) if fires else None


@augmentation.register(severity=OFTEN)
def shuffle(
    seen: Seen, rng: np.random.Generator, *, ops: Ops, probability: OpProbability = 1.0
) -> Sequence[Transform] | None:
    """Apply several augmentations in random order.

    Settings:
        ops: the augmentations
    """
    fires, members = happens(rng, probability), _members(rng, ops)
    return _draw_all(sorted(members, key=lambda member: member.arrival), seen) if fires else None


class _Member(NamedTuple):
    """An inner op, its random stream and an Exp(1) arrival time, by which ops are chosen and ordered."""

    op: Component
    rng: np.random.Generator
    arrival: float


def _members(rng: np.random.Generator, ops: Sequence[Component]) -> list[_Member]:
    streams = branches(rng)
    pairs = [(op, streams(name)) for name, op in named(ops)]
    return [_Member(op, stream, stream.exponential()) for op, stream in pairs]


def _draw_all(members: Sequence[_Member], seen: Seen) -> Sequence[Transform] | None:
    """Return the transforms of all members; each op sees the sample as the ones before it leave it."""
    transforms: list[Transform] = []
    for member in members:
        drawn = namespaced(member.op.name, member.op(seen, member.rng))
        transforms += drawn
        seen = after(seen, drawn)
    return transforms or None


@reads("augment", "mix")
def _weights_match_choices(experiment: Experiment) -> Found:
    for where, op in [*nested(experiment.augment, ("augment",)), *nested(experiment.mix, ("mix",))]:
        choices, weights = op.settings.get("choices"), op.settings.get("weights")
        if choices and weights and len(choices) != len(weights):
            words = f"must be one number for each of the {len(choices)} choices; got {len(weights)}"
            yield (*where, "weights"), predicate(words)


@reads("augment")
def _count_within_choices(experiment: Experiment) -> Found:
    for where, op in nested(experiment.augment, ("augment",)):
        if op.name == "some_of" and op.settings["count"] > len(op.settings["choices"]):
            words = f"must be at most the {len(op.settings['choices'])} choices; got {op.settings['count']}"
            yield (*where, "count"), predicate(words)
