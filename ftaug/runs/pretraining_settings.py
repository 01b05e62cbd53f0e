"""Settings of a pretraining without labels, from the experiment of the task."""

from ftaug.config.experiment import Experiment

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


def default_overrides(experiment: Experiment) -> list[str]:
    """Return the overrides of a pretraining for what the experiment leaves open, besides WITHOUT_LABELS."""
    overrides = [f"lr.peak={RATE * experiment.lr.peak:.6g}"]
    if experiment.objective is None or experiment.objective.fact("learns_targets"):
        overrides.append("objective=instance")
    if experiment.method is None:
        overrides.append("method=l2_sp")
    if experiment.lr.layer_decay == 1:
        overrides.append(f"lr.layer_decay={LAYER_DECAY}")
    return overrides
