"""Settings of a pretraining without labels, from the experiment of the task."""

from ftaug.config.experiment import Experiment
from ftaug.config.registry import registry

RATE, LAYER_DECAY = 0.1, 0.8
"""Factor of the peak rate of fine-tuning, and of the rate of each stage to that of the next."""

WITHOUT_LABELS = (
    "data.val=null",
    "data.test=null",
    "data.sampler=null",
    "data.pseudo_labels=null",
    "mix=null",
    "distillation=null",
    "train.cache_features=null",
    "train.early_stop=null",
    "evaluate={}",
)
"""Overrides of what needs labels, or evaluates by them."""


def default_objective(name: str | None, modality: str) -> list[str]:
    """Return the override of an objective that is missing, or that learns labels; of an unknown one, none."""
    objectives = registry("objective", modality)
    if name is None or (name in objectives and objectives[name].facts["learns_targets"]):
        return ["objective=instance"]
    return []


def default_overrides(experiment: Experiment) -> list[str]:
    """Return the overrides of a pretraining for what the experiment leaves open, besides its objective."""
    overrides = [f"lr.peak={RATE * experiment.lr.peak:.6g}"]
    optimizer = experiment.optimizer
    decay = optimizer.entry.settings().get("weight_decay")
    if experiment.method is None and (decay is None or optimizer.settings["weight_decay"] in (0.0, decay.default)):
        overrides.append("method=l2_sp")
    if experiment.lr.layer_decay == 1:
        overrides.append(f"lr.layer_decay={LAYER_DECAY}")
    return overrides
