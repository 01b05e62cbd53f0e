"""The variants of an ablation: the experiment without one of its parts, or with one more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ftaug.augment.random_streams import named
from ftaug.augment.stages import place_in
from ftaug.config import overrides as edits
from ftaug.config.dump import digest, to_plain
from ftaug.config.experiment import Experiment
from ftaug.config.registry import Component, registry
from ftaug.config.search_space import written
from ftaug.config.value_lists import parse_list
from ftaug.errors import ExperimentError, did_you_mean
from ftaug.experiment_file import ExperimentFile

DEFAULT_SECTIONS = ("augment", "mix")
MAPPINGS = ("lr", "train", "input")
"""Sections of which each key is a part."""

SECTIONS = (
    *DEFAULT_SECTIONS,
    *MAPPINGS,
    *("loss", "objective", "distillation", "method", "optimizer", "unfreeze", "head_init"),
)
"""The sections with parts that can be left out; other keys say what is trained and measured."""

BUDGET = ("epochs", "max_time")
"""Keys of `train` that are left out only if they are named: they change how long training takes."""

NOTHING = "none"


@dataclass(frozen=True)
class Variant:
    """The experiment with one change."""

    name: str  # human-readable name of the part
    change: Literal["removed", "added"]
    overrides: tuple[str, ...]


@dataclass(frozen=True)
class Design:
    """An experiment with its variants, and notes on those that are left out."""

    baseline: Experiment
    variants: Sequence[Variant]
    notes: Sequence[str] = ()


def design(file: ExperimentFile, overrides: Sequence[str], over: Sequence[str], add: Sequence[str]) -> Design:
    """Return the variants of an experiment file.

    `over` names sections or keys in them whose parts are left out, by default the augmentations and the mix; `add`
    lists augmentations or mixes to add one at a time, by default standard ones, or `none`. Raises ExperimentError.
    """
    baseline = file.experiment(overrides)
    sections = [*dict.fromkeys(over or DEFAULT_SECTIONS)]
    tree = edits.apply(file.document, overrides)[0].tree
    removals = [variant for key in sections for variant in _removals(key, tree, baseline)]
    additions = _requested(add, baseline) if add else [*_standard(baseline, sections)]
    chosen: list[Variant] = []
    notes: list[str] = []
    for variant in [*removals, *additions]:
        try:
            changed = file.experiment([*overrides, *variant.overrides])
        except ExperimentError as error:
            if add and variant in additions:
                raise
            notes.append(f"{variant.name} is not {variant.change}: {error.problems[0].message}")
            continue
        if digest(changed) == digest(baseline):
            notes.append(f"{variant.name} is not {variant.change}, as that changes no result")
        else:
            chosen.append(variant)
    if not chosen:
        raise ExperimentError(*notes, f"there is nothing to leave out of {', '.join(sections)}, and nothing to add")
    return Design(baseline, chosen, notes)


def _removals(key: str, tree: Mapping[str, Any], baseline: Experiment) -> Iterator[Variant]:
    """Yield the variants without a part of a section, or without a single key such as `train.ema`."""
    section = key.partition(".")[0]
    if section not in SECTIONS:
        raise ExperimentError(f"--over {key}: no section with parts to leave out{did_you_mean(section, SECTIONS)}")
    if key != section or (section not in (*MAPPINGS, "augment") and section in tree):
        yield Variant(key, "removed", (f"~{key}",))
    elif section == "augment":
        yield from _ops_removed(baseline.augment)
    elif section in MAPPINGS and section in tree:
        yield from (Variant(f"{key}.{n}", "removed", (f"~{key}.{n}",)) for n in tree[section] if n not in BUDGET)
    elif section not in DEFAULT_SECTIONS:
        raise ExperimentError(f"--over {key}: the experiment file does not set it, so there is nothing to leave out")


def _ops_removed(ops: Sequence[Component]) -> Iterator[Variant]:
    """Yield the variants without an augmentation.

    The random stream of a repeated augmentation depends on how many of the same name precede it. Where another one
    follows, the augmentation stays with probability 0, so that the draws of the others are the same.
    """
    for index, (name, op) in enumerate(named(ops)):
        is_repeated = any(other.name == op.name for other in ops[index + 1 :])
        if is_repeated and "probability" in op.settings:
            yield Variant(name, "removed", (f"augment.{index}.{op.name}.probability=0",))
        else:
            yield Variant(name, "removed", (f"~augment.{index}",))


def _standard(baseline: Experiment, sections: Sequence[str]) -> Iterator[Variant]:
    """Yield the variants with one more standard augmentation, or with a standard mix if there is none."""
    present = {op.name for op in baseline.augment}
    for kind, section in (("augmentation", "augment"), ("mix", "mix")):
        if section in sections and not (section == "mix" and baseline.mix is not None):
            components = registry(kind, baseline.modality)
            names = (name for name in components if components[name].facts["standard"] and name not in present)
            yield from (_added(section, name, name, baseline) for name in names)


def _requested(add: Sequence[str], baseline: Experiment) -> list[Variant]:
    """Return the variants with one more of the listed augmentations, or with one of the listed mixes."""
    values = parse_list("--add", add, "horizontal_flip,{rotate: {degrees: 20}}")
    mixes, augmentations = (registry(kind, baseline.modality) for kind in ("mix", "augmentation"))
    names = {value: value.lstrip("{").partition(":")[0].strip() for value in values if value != NOTHING}
    return [
        _added("mix" if name in mixes and name not in augmentations else "augment", name, value, baseline)
        for value, name in names.items()
    ]


def _added(section: str, name: str, value: str, baseline: Experiment) -> Variant:
    """Return the variant with a mix, or with one more augmentation, before those of later stages."""
    if section == "mix":
        return Variant(value, "added", (f"mix={value}",))
    place = place_in(baseline.augment, name, registry("augmentation", baseline.modality))
    if place == len(baseline.augment):
        return Variant(value, "added", (f"augment+={value}",))
    ops = [written(to_plain(op)) for op in baseline.augment]
    return Variant(value, "added", (f"augment=[{', '.join([*ops[:place], value, *ops[place:]])}]",))
