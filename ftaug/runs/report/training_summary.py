"""Human-readable summaries on stderr before and after training."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from ftaug.config.experiment import Experiment
from ftaug.config.task_fit import TARGETS, default_loss
from ftaug.engine.loading.prepare import views_of
from ftaug.engine.loading.sample_cache import Cache
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.loading.split_notes import notes_of
from ftaug.engine.system.cpu_count import usable_cores
from ftaug.engine.system.device import describe
from ftaug.engine.training.fit import Progress
from ftaug.engine.training.state import TrainingState
from ftaug.runs.best_checkpoint import rule
from ftaug.runs.report import console
from ftaug.runs.report.console import Command
from ftaug.runs.report.progress_bar import duration

LISTED = 12
"""Maximum number of classes or targets that are listed."""


def next_steps(run: Path) -> list[Command]:
    """Suggest the next commands for a run folder, ready to copy."""
    name = shlex.quote(str(run))
    return [
        Command(("ftaug", "evaluate", name)),
        Command(("ftaug", "predict", name, "INPUT")),
        Command(("ftaug", "export", name, "--format onnx")),
    ]


def before(state: TrainingState, cache: Cache, folder: Path, origin: str) -> Table:
    """Build the summary printed before training, with a reason for each automatic choice."""
    experiment, table = state.experiment, console.key_values()
    table.add_row("run", f"{folder} ({origin})")
    table.add_row("device", _chosen(describe(state.device), state.device.reasons.get("device")))
    table.add_row("threads", _chosen(str(state.device.threads), state.device.reasons["threads"]))
    precision = _chosen(state.device.precision, state.device.reasons.get("precision"))
    table.add_row("precision", f"{precision}; evaluation in {state.evaluation_device.precision}")
    for purpose in ("train", "val", "test"):
        if purpose in state.splits:
            table.add_row(purpose, _samples(state.splits[purpose]))
    if experiment.data.sampler is not None:
        table.add_row("sampler", _sampler(state, experiment.data.sampler.name))
    if _ordered(experiment):
        table.add_row("scale", " < ".join(state.task.classes))
    for note in notes_of(state.splits):
        table.add_row("note", note)
    table.add_row("backbone", f"{experiment.backbone.name}, weights: {_weights(state)}")
    for note in state.backbone.facts.get("notes", ()):
        table.add_row("weights", note)
    for setting, chosen in state.backbone.facts.get("auto", {}).items():
        table.add_row(setting, chosen)
    if state.new_head:
        constant = "mean of the targets" if state.task.regression else "class frequencies"
        table.add_row("head", f"new: zero weights, predicts the {constant} at first")
    table.add_row("parameters", _parameters(state))
    if experiment.method is not None:
        table.add_row("method", _method(state))
    table.add_row("batch", _batch(state))
    if experiment.train.compile:
        table.add_row("compile", "PyTorch compiles the network at the first step, which takes minutes")
    if experiment.train.gradient_checkpointing:
        table.add_row("memory", "blocks are recomputed in the backward pass")
    if state.experiment.data.cache is not None:
        table.add_row("cache", cache.text)
    if state.features is not None:
        table.add_row("features", state.features.text)
    elif experiment.train.cache_features is not None:
        table.add_row("features", "auto → not stored (the frozen layers are no longer needed, or cannot be separated)")
    table.add_row("length", _length(state))
    table.add_row(
        "lr", f"peak {experiment.lr.peak:g}, {experiment.lr.schedule.name}; optimizer {experiment.optimizer.name}"
    )
    if default_loss(experiment):
        table.add_row("loss", f"auto → {experiment.loss.name} ({TARGETS[state.task.kind]})")
    names = [component.name for component in experiment.augment]
    where = ", on the GPU" if state.device.augments else ""
    table.add_row("augment", ", ".join(names) + where if names else "none")
    if experiment.mix is not None:
        table.add_row("mix", experiment.mix.name)
    if experiment.objective is not None:
        views = views_of(experiment)
        table.add_row("objective", experiment.objective.name + (f", {views} views of each sample" if views > 1 else ""))
    if experiment.distillation is not None:
        table.add_row("teacher", f"{experiment.distillation.teacher}, weight {experiment.distillation.weight:g}")
    if experiment.evaluate.tta is not None:
        table.add_row("evaluation", f"{experiment.evaluate.tta}, predictions averaged")
    if "val" in state.splits:
        table.add_row("best by", rule(state))
    for caution in state.cautions:
        table.add_row("caution", caution)
    return table


def choice(record: Mapping[str, Any]) -> Table:
    """Build the table of stages that `unfreeze: auto` chose, with their gains."""
    largest = max(record["gain"].values(), default=0.0) or 1.0
    rows = [
        (stage, f"{gain:.3g}", f"{gain / largest:.0%}", f"{record['relative'][stage]:.3g}", _state(stage, record))
        for stage, gain in record["gain"].items()
    ]
    headings = ("unfreeze: auto", "gain", "of the largest", "relative gradient", "")
    return console.table(headings, [*rows, ("head", "", "", "", "trainable")])


def _state(stage: str, record: Mapping[str, Any]) -> str:
    return "trainable" if stage in record["unfreeze"] else "frozen"


def after(epochs: Sequence[Mapping[str, Any]], best_step: int | None) -> Table:
    """Build the table of all evaluations, with the best one marked."""
    names = list(epochs[0]["metrics"]) if epochs else []
    rows = []
    for row in epochs:
        values = (f"{row['metrics'][name]:.4f}" for name in names)
        marked = "best" if row["step"] == best_step else ""
        rows.append((f"{row['epoch']:.4g}", marked, row["step"], f"{row['train_loss']:.4f}", *values))
    headings = ("epoch", "", "step", "train loss", *(f"val {name}" for name in names))
    return console.table(headings, rows)


def ending(state: TrainingState, progress: Progress) -> str:
    """Describe why the run ended."""
    if progress.step < state.training_length.total_steps:
        metric, early = state.experiment.evaluate.best, state.experiment.train.early_stop
        return f"stopped early: {metric} did not improve in {early.patience if early else 0} evaluations"
    epochs = state.experiment.train.epochs
    return f"trained {epochs} epoch{'s' * (epochs != 1)}"


def times(rows: Sequence[Mapping[str, Any]], seconds: float, *, resumed: bool) -> str:
    """Format the time since the command began, and from the rows of metrics.jsonl that of training and evaluation."""
    windows = [(row["samples"], row["time"]["samples_per_second"]) for row in rows if "loss" in row]
    training = sum(samples / max(speed, 1e-9) for samples, speed in windows)
    evaluation = sum(row["time"]["seconds"] for row in rows if "val" in row)
    samples = sum(samples for samples, _ in windows)
    figures = f"training {duration(training)} ({samples / max(training, 1e-9):,.0f} samples/s)"
    if evaluation:
        figures += f", evaluation {duration(evaluation)}"
    return f"total time {duration(seconds)}{' since it was resumed; in all' if resumed else ':'} {figures}"


def _chosen(value: str, reason: str | None) -> str:
    return f"auto → {value} ({reason})" if reason else value


def _samples(split: DataSplit) -> str:
    if split.task.regression:
        return "; ".join((f"{len(split):,} samples, {_spans(split)}", *split.samples.notes))
    counts, classes = split.counts(), split.task.classes
    few, many = int(np.argmin(counts)), int(np.argmax(counts))
    span = f"{classes[few]} {counts[few]:,} … {classes[many]} {counts[many]:,}"
    text = f"{len(split):,} samples, {len(classes)} classes ({'balanced' if counts[few] == counts[many] else span})"
    missing = [name for name, count in zip(classes, counts, strict=True) if not count]
    if missing:
        text += f"; none of {', '.join(missing[:5])}{' …' if len(missing) > 5 else ''}"
    return text


def _spans(split: DataSplit) -> str:
    """Format the range of each regression target."""
    ends = zip(split.task.classes, split.targets.min(axis=0), split.targets.max(axis=0), strict=True)
    spans = [f"{name} from {low:.4g} to {high:.4g}" for name, low, high in ends]
    return ", ".join(spans[:LISTED]) + (" …" if len(spans) > LISTED else "")


def _sampler(state: TrainingState, name: str) -> str:
    """Format samples per class and samples drawn per epoch, rarest class first."""
    counts, visits = state.splits["train"].counts(), state.counts
    order = np.argsort(counts, kind="stable")
    shown = [f"{state.task.classes[i]} {counts[i]:,} → {visits[i]:,}" for i in order.tolist()]
    if len(shown) > LISTED:
        shown = [*shown[: LISTED // 2], "…", *shown[-LISTED // 2 :]]
    return f"{name}, visits of each class an epoch: {', '.join(shown)}"


def thresholds(tuned: Mapping[str, float]) -> str:
    """Format the tuned threshold of each label, at most LISTED of them."""
    shown = [f"{name} {value:.3g}" for name, value in list(tuned.items())[:LISTED]]
    return f"predicted above, for the best F1 on validation: {', '.join(shown)}{' …' if len(tuned) > LISTED else ''}"


def _weights(state: TrainingState) -> str:
    """Name the initial weights: as the file does, or what the backbone chose."""
    return str(state.experiment.backbone.settings.get("weights") or state.backbone.facts.get("weights"))


def _ordered(experiment: Experiment) -> bool:
    """Whether the loss or a metric treats the classes as ordinal."""
    return any(component.fact("ordered") for component in (experiment.loss, *experiment.evaluate.metrics))


def _parameters(state: TrainingState) -> str:
    total = sum(p.numel() for p in state.model.network.parameters())
    parameters = dict(state.model.network.named_parameters())
    now = sum(parameters[n].numel() for g in state.plan.groups if g.from_step == 0 for n in g.names)
    later = sum(parameters[n].numel() for g in state.plan.groups if g.from_step > 0 for n in g.names)
    text = f"{now:,} of {total:,} trainable"
    return f"{text}, {later:,} more later" if later else text


def _method(state: TrainingState) -> str:
    method, parameters = state.experiment.method, dict(state.model.network.named_parameters())
    added = sum(parameters[name].numel() for name in state.method.parameters)
    settings = ", ".join(f"{key} {value}" for key, value in (method.settings if method else {}).items() if value)
    text = f"{method.name if method else ''}{f' ({settings})' if settings else ''}"
    return f"{text}, {added:,} parameters added to the network" if added else text


def _batch(state: TrainingState) -> str:
    experiment = state.experiment
    size, parts = experiment.data.batch_size, experiment.train.gradient_accumulation
    text = f"{size * parts}" if parts == 1 else f"{size} × {parts} = {size * parts}"
    micro = state.micro_batch
    if micro is not None and micro.samples < size:
        text += f", {micro.samples} at a time" + (f" (auto: {micro.reason})" if micro.reason else "")
    token_budget = state.epochs.token_budget
    if token_budget is not None and state.epochs.sizes is not None:
        why = " (auto: less padding)" if experiment.data.batch_tokens == "auto" else ""
        text += f", up to {token_budget.budget:,} tokens at a time{why}"
    workers = f"{state.workers} worker{'s' * (state.workers != 1)}"
    cores = usable_cores()
    here = f"{cores} core{'s' * (cores != 1)}"
    if state.workers > cores:
        return f"{text}, {workers} (more than the {here} available, without benefit; see data.workers: auto)"
    return f"{text}, {_chosen(workers, f'of {here}' if experiment.data.workers == 'auto' else None)}"


def _length(state: TrainingState) -> str:
    steps, epochs = state.training_length.epoch_steps, state.experiment.train.epochs
    return f"{epochs} epoch{'s' * (epochs != 1)} × {steps:,} steps = {state.training_length.total_steps:,} steps"
