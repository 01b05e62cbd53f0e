"""Consistency checks of settings for several processes."""

from __future__ import annotations

from ftaug.config.checks import Found, reads
from ftaug.config.experiment import CacheFeatures, Experiment
from ftaug.config.problems import predicate


@reads("train", "data.parts", "data.batch_tokens")
def _processes_compute_together(experiment: Experiment) -> Found:
    for key in ("shard", "sync_batchnorm"):
        if getattr(experiment.train, key):
            if isinstance(experiment.data.parts, int):
                text = f"must be auto with train.{key}, which computes with all samples of a step at once"
                yield ("data", "parts"), predicate(f"{text}; got {experiment.data.parts}")
            if isinstance(experiment.data.batch_tokens, int):
                text = f"cannot be used with train.{key}, which needs as many micro-batches in each process"
                yield ("data", "batch_tokens"), predicate(f"{text}; leave it out")
            if experiment.train.compile:
                yield ("train", "compile"), predicate(f"and train.{key} cannot be combined; leave one out")


@reads("train", "optimizer")
def _weights_can_be_sharded(experiment: Experiment) -> Found:
    if not experiment.train.shard:
        return
    if isinstance(experiment.train.cache_features, CacheFeatures):
        text = "runs only a part of the network, which train.shard does not support; leave one out"
        yield ("train", "cache_features"), predicate(text)
    if experiment.optimizer.fact("whole_matrices"):
        text = f"cannot be used with optimizer {experiment.optimizer.name}, which needs whole matrices; use adamw"
        yield ("train", "shard"), predicate(text)
