"""Whether the augmentation of an experiment carries over to other backbones, compared with a reference on each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ftaug.config import overrides as edits
from ftaug.config.registry import registry
from ftaug.config.search_space import written
from ftaug.config.value_lists import parse_list
from ftaug.errors import ExperimentError, Place, Problem
from ftaug.experiment_file import ExperimentFile
from ftaug.runs.ablation.variants import NOTHING, Design, Variant

SCALES = (0.5, 1.0, 1.5)
"""Factors of all severities of a policy: the strength that suits another network may be another one."""

REFERENCE = "trivial_augment"
"""The augmentation that a policy is compared with, in modalities that have it; in others none."""


@dataclass(frozen=True)
class TransferTarget:
    """A backbone with the reference as the baseline, and the policy at each scale as its variants."""

    backbone: str  # the value of `backbone`, as for an override
    overrides: tuple[str, ...]  # of the baseline
    design: Design


def targets_of(
    file: ExperimentFile, overrides: Sequence[str], backbones: Sequence[str], against: str | None
) -> list[TransferTarget]:
    """Return the comparison for each backbone; raises ExperimentError with all problems."""
    policy = _policy(file, overrides)
    names = parse_list("--to", backbones, "resnet18,timm/convnext_nano")
    if not names:
        raise ExperimentError("--to: name the backbones that the policy is tried on, such as resnet18,resnet50")
    reference = _reference(file, overrides, against)
    targets: list[TransferTarget] = []
    problems: list[Problem] = []
    for name in names:
        base = (*overrides, f"backbone={name}", *reference)
        try:
            baseline = file.experiment(base)
            for variant in policy:
                file.experiment([*base, *variant.overrides])
            targets.append(TransferTarget(name, base, Design(baseline, policy)))
        except ExperimentError as error:
            problems += error.problems
    if problems:
        raise ExperimentError(*dict.fromkeys(problems))
    return targets


def _policy(file: ExperimentFile, overrides: Sequence[str]) -> list[Variant]:
    """Return the policy of the file at each scale; one without severities at its own strength only."""
    experiment, tree = file.experiment(overrides), edits.apply(file.document, overrides)[0].tree
    if not experiment.augment and experiment.mix is None:
        text = "has neither augment nor mix, so there is no policy to transfer"
        raise ExperimentError(Problem(text, Place(str(file.path))))
    augment = tree.get("augment") or []
    scales = [scale for scale in SCALES if scale == 1 or scaled(augment, scale) != augment]
    mix = f"mix={written(tree.get('mix'))}"
    return [
        Variant(f"policy × {scale:g}", "added", (f"augment={written(scaled(augment, scale))}", mix)) for scale in scales
    ]


def scaled(value: Any, scale: float) -> Any:
    """Return augmentations, as in an experiment file, with all severities multiplied and limited to 1."""
    if isinstance(value, Mapping):
        return {
            key: min(1.0, round(item * scale, 6)) if key == "severity" and item is not None else scaled(item, scale)
            for key, item in value.items()
        }
    return [scaled(item, scale) for item in value] if isinstance(value, list) else value


def _reference(file: ExperimentFile, overrides: Sequence[str], against: str | None) -> tuple[str, ...]:
    """Return the overrides of the reference."""
    if against is None:
        has_reference = REFERENCE in registry("augmentation", file.experiment(overrides).modality)
        against = REFERENCE if has_reference else NOTHING
    return (f"augment=[{'' if against == NOTHING else against}]", "mix=null")
