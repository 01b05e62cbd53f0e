"""Suggest the correct key for keys of other tools and keys at the wrong level."""

from __future__ import annotations

import dataclasses
import functools
import typing

from ftaug.config.renamed import KEYS

KeyPaths = tuple[tuple[str, str], ...]
"""Every key of the upper levels of an experiment: the name of its dataclass, and its dotted path."""

ALIASES = {
    "learning_rate": "lr.peak",
    "lr0": "lr.peak",
    "base_lr": "lr.peak",
    "max_lr": "lr.peak",
    "scheduler": "lr.schedule",
    "lr_scheduler": "lr.schedule",
    "lr_scheduler_type": "lr.schedule",
    "lr_decay": "lr.layer_decay",
    "layerwise_decay": "lr.layer_decay",
    "warmup": "lr.schedule.cosine.warmup",
    "warmup_steps": "lr.schedule.cosine.warmup",
    "warmup_ratio": "lr.schedule.cosine.warmup",
    "warmup_epochs": "lr.schedule.cosine.warmup",
    "num_epochs": "train.epochs",
    "num_train_epochs": "train.epochs",
    "max_epochs": "train.epochs",
    "gradient_accumulation_steps": "train.gradient_accumulation",
    "accumulate_grad_batches": "train.gradient_accumulation",
    "micro_batch_size": "train.micro_batch",
    "grad_checkpointing": "train.gradient_checkpointing",
    "torch_compile": "train.compile",
    "max_grad_norm": "train.clip_norm",
    "grad_clip": "train.clip_norm",
    "gradient_clip_val": "train.clip_norm",
    "clip_grad": "train.clip_norm",
    "amp": "train.precision",
    "bf16": "train.precision",
    "fp16": "train.precision",
    "dtype": "train.precision",
    "patience": "train.early_stop.patience",
    "early_stopping": "train.early_stop",
    "ema_decay": "train.ema",
    "model_ema": "train.ema",
    "per_device_train_batch_size": "data.batch_size",
    "train_batch_size": "data.batch_size",
    "batch_size": "data.batch_size",
    "batch": "data.batch_size",
    "bs": "data.batch_size",
    "eval_batch_size": "evaluate.batch_size",
    "per_device_eval_batch_size": "evaluate.batch_size",
    "num_workers": "data.workers",
    "dataloader_num_workers": "data.workers",
    "dataset": "data.train",
    "train_data": "data.train",
    "validation": "data.val",
    "valid": "data.val",
    "val_split": "data.val.split",
    "freeze": "unfreeze",
    "frozen": "unfreeze",
    "freeze_layers": "unfreeze",
    "trainable": "unfreeze",
    "model": "backbone",
    "arch": "backbone",
    "model_name": "backbone",
    "model_name_or_path": "backbone",
    "augmentation": "augment",
    "augmentations": "augment",
    "transforms": "augment",
    "transform": "augment",
    "mixup": "mix",
    "cutmix": "mix",
    "criterion": "loss",
    "class_weights": "loss.cross_entropy.class_weights",
    "class_weight": "loss.cross_entropy.class_weights",
    "weighted_sampler": "data.sampler",
    "teacher": "distillation.teacher",
    "distill": "distillation",
    "label_smoothing": "loss.cross_entropy.label_smoothing",
    "weight_decay": "optimizer.adamw.weight_decay",
    "wd": "optimizer.adamw.weight_decay",
    "momentum": "optimizer.sgd.momentum",
    "optim": "optimizer",
    "metric": "evaluate.metrics",
    "monitor": "evaluate.best",
    "metric_for_best_model": "evaluate.best",
    "eval_every": "evaluate.every",
    "eval_steps": "evaluate.every",
    "save_steps": "train.save_every",
    "precision": "train.precision",
    "test_time_augmentation": "evaluate.tta",
    "report_to": "loggers",
    "logger": "loggers",
    "trackers": "loggers",
    "random_state": "seed",
    "random_seed": "seed",
}


def suggestion(key: str, owner: str, paths: KeyPaths) -> str:
    """Return a hint such as `; did you mean 'lr.peak'?` for an unknown key; empty if no key matches exactly."""
    if owner not in {"Experiment", *(name for name, _ in paths)}:
        return ""
    section = listed_as(owner, paths)
    if present := KEYS.get(key if section == "experiment" else f"{section}.{key}"):
        return f"; it was renamed to '{present}'"
    targets = [path for name, path in paths if path.rpartition(".")[2] == key and name != owner]
    renamed = next((present for former, present in KEYS.items() if former.rpartition(".")[2] == key), "")
    target = ALIASES.get(key.lower().replace("-", "_")) or (targets[0] if len(targets) == 1 else renamed)
    return target and f"; did you mean '{target}'?"


def listed_as(owner: str, paths: KeyPaths) -> str:
    """What `ftaug list` is asked for the keys of a dataclass of the upper levels, or the settings of a component."""
    path = next((path for name, path in paths if name == owner), f"{owner}.")
    return path.rpartition(".")[0] or "experiment"


@functools.cache
def key_paths(experiment: type) -> KeyPaths:
    """The key paths of the dataclass of an experiment and of its sections."""
    annotations = typing.get_type_hints(experiment)
    paths = [(experiment.__name__, name) for name in annotations]
    for section, cls in annotations.items():
        if isinstance(cls, type) and dataclasses.is_dataclass(cls) and cls.__module__ == experiment.__module__:
            paths += [(cls.__name__, f"{section}.{field.name}") for field in dataclasses.fields(cls)]
    return tuple(paths)
