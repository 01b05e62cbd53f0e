"""The policies to search: none, a reference, and combinations of the augmentations that passed the screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ftaug.augment.stages import stage
from ftaug.config.experiment import Experiment
from ftaug.config.registry import registry
from ftaug.config.search_space import written
from ftaug.runs.policy.screen import OpScreen
from ftaug.runs.policy.transfer import REFERENCE

MOST_OPS = 14
"""Number of augmentations to choose from, as many as TrivialAugment has; the most diverse ones."""

FLIP_AND_CROP = ("random_resized_crop", "horizontal_flip")
LIBRARY_POLICIES = (REFERENCE, "rand_augment")


def policy_overrides(screens: Sequence[OpScreen], experiment: Experiment) -> list[str]:
    """Return the overrides that search all pairs of a policy and a mix, of which the first ones are the reference."""
    policies, mixes = policies_of(screens, experiment), mixes_of(experiment)
    return [
        f"augment={{search: {written(policies)}}}",
        f"mix={{search: {written(mixes)}}}",
        "search.sampler=grid",
        f"search.trials={len(policies) * len(mixes)}",
    ]


def policies_of(screens: Sequence[OpScreen], experiment: Experiment) -> list[list[Any]]:
    """Return the values of `augment`, as in an experiment file."""
    components = registry("augmentation", experiment.modality)
    usable = {each.op: each for each in screens if each.cap > 0}
    by_diversity = sorted(usable.values(), key=lambda each: -each.diversity[each.cap])[:MOST_OPS]
    choices = [
        component_of(each) for each in sorted(by_diversity, key=lambda each: (stage(each.op, components), each.op))
    ]
    policies: list[list[Any]] = [[name] for name in LIBRARY_POLICIES if name in components]
    policies.insert(min(1, len(policies)), [])
    if basic := [component_of(usable[name]) for name in FLIP_AND_CROP if name in usable]:
        policies.append(basic)
    if len(choices) > 1:
        policies.append([{"one_of": {"choices": choices}}])
        policies.append([{"some_of": {"choices": choices, "count": 2}}])
    return policies


def component_of(screened: OpScreen) -> dict[str, Any]:
    """Return an augmentation at its largest usable severity, without the classes that it must spare."""
    spared = {"except": list(screened.spared)} if screened.spared else {}
    return {screened.op: {"severity": severity_of(screened), **spared}}


def severity_of(screened: OpScreen) -> float:
    """Return the severity to train with: half of the samples where it is a probability, which was measured at 1."""
    return 0.5 if len(screened.affinity) == 1 else screened.cap


def mixes_of(experiment: Experiment) -> list[str | None]:
    """Return the values of `mix`: none, and the standard ones."""
    components = registry("mix", experiment.modality)
    return [None, *(name for name in components if components[name].facts["standard"])]
