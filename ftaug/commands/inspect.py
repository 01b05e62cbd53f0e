"""`ftaug inspect`: show data, layers, trainable parameters and learning rates of an experiment without training."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftaug.config.experiment import Experiment
from ftaug.config.strict_json import dumps
from ftaug.engine.loading.prepare import horizon, modality_of
from ftaug.engine.loading.split import DataSplit, load_splits, notes_of
from ftaug.engine.system.storage import storage_errors
from ftaug.engine.training import unfreeze
from ftaug.engine.training.build import build_model, cautions_of
from ftaug.engine.training.parameter_summary import Row, course, outline
from ftaug.engine.training.peft import adapt
from ftaug.errors import BadData, ExperimentError, MissingInput
from ftaug.interfaces.model import Backbone, TrainingLength
from ftaug.load import load
from ftaug.runs.bad_samples import without
from ftaug.runs.data_check import Unreadable, read_all
from ftaug.runs.report import console
from ftaug.runs.trained_model import MODEL_FILE, recorded_data

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from rich.table import Table


def run(
    target: Path,
    overrides: Sequence[str],
    as_json: bool,
    cka: bool,
    read: bool = False,
    picture: Path | None = None,
) -> None:
    """Print the data, the stages and their learning rates; plot the rates into `picture`. Trains and downloads nothing.

    With `read`, raises BadData if more samples are unreadable than the experiment may skip.
    """
    config = _config(target)
    if picture is not None and picture.suffix.lower() != ".png":
        raise ExperimentError(f"{picture}: must end in .png")
    experiment = load(config, overrides)
    alike = _alike(target) if cka else {}
    run = config.parent
    recorded = target.is_dir() and (run / MODEL_FILE).is_file()
    data: Mapping[str, DataSplit] = (
        dict(recorded_data(run, experiment)) if recorded else load_splits(experiment.data, experiment.seed)
    )
    backbone, _ = build_model(experiment, data["train"].task)
    if backbone.facts.get("match") == "order" and not target.is_dir():
        backbone.load_pretrained()  # to report how the weights match; they are local
    bad, repeated = read_all(experiment, data, backbone.preprocessing) if read else ([], [])
    failure = None
    try:
        data = without(experiment, data, bad)
    except BadData as error:
        if not as_json:
            raise
        failure = error
    length = horizon(experiment, len(data["train"]))
    method = adapt(backbone, experiment)
    rows = outline(backbone, experiment, unfreeze.plan(backbone, experiment, length, method.parameters), length)
    if picture is not None:
        with storage_errors(f"cannot write {picture}"):
            draw(course(experiment, length), rows, length, picture)
    warnings = [*cautions_of(experiment, data, backbone.preprocessing), *repeated]
    if as_json:
        result = _as_json(data, backbone, rows, length) | {"cautions": warnings}
        result |= {"picture": str(picture)} if picture is not None else {}
        result |= {"bad_samples": [_bad_sample(sample) for sample in bad]} if read else {}
        print(dumps(result | ({"cka": alike} if cka else {}), indent=2))
    else:
        _print(data, backbone, experiment, rows, length, warnings)
        if picture is not None:
            print(f"learning rates over the run: {picture}")
        if cka:
            console.show(console.table(("stage", "features alike"), alike.items()))
    if failure is not None:
        failure.result_printed = True
        raise failure


def _bad_sample(bad: Unreadable) -> dict[str, str]:
    """Describe an unreadable sample as JSON, its error without the sample's name."""
    return {"split": bad.split, "sample": bad.name, "error": str(bad.error).removeprefix(f"{bad.name}: ")}


def _alike(run: Path) -> dict[str, float]:
    """Compute the CKA of each stage's features before and after training."""
    if not run.is_dir() or not (run / "resolved.yaml").is_file():
        raise ExperimentError(f"--cka compares before and after training and needs a run folder; got {run}")
    from ftaug.runs.cka import before_and_after

    return before_and_after(run, trust_plugins=False)


def _config(target: Path) -> Path:
    """Return the experiment file of a run folder, or the file itself; raises MissingInput."""
    if not target.is_dir():
        return target
    if (target / "folds.json").is_file():
        return target / "fold-1" / "resolved.yaml"
    if not (target / "resolved.yaml").is_file():
        raise MissingInput(f"{target}: neither an experiment file nor a run folder (it has no resolved.yaml)")
    return target / "resolved.yaml"


def _as_json(
    data: Mapping[str, DataSplit], backbone: Backbone, rows: Sequence[Row], length: TrainingLength
) -> dict[str, Any]:
    return {
        "data": {purpose: len(split) for purpose, split in data.items()},
        "notes": notes_of(data),
        "classes": list(data["train"].task.classes),
        "preprocessing": dict(backbone.preprocessing),
        "weights": backbone.facts.get("weights"),
        "weights_stored": backbone.stored() if backbone.stored else None,
        "weights_notes": backbone.facts.get("notes", []),
        "weights_matches": backbone.facts.get("matches"),
        "steps": {"total": length.total_steps, "per_epoch": length.epoch_steps},
        "stages": [dataclasses.asdict(row) for row in rows],
        "parameters": sum(row.parameters for row in rows),
        "trainable": sum(row.parameters for row in rows if row.from_step is not None),
    }


def _print(
    data: Mapping[str, DataSplit],
    backbone: Backbone,
    experiment: Experiment,
    rows: Sequence[Row],
    length: TrainingLength,
    warnings: Sequence[str],
) -> None:
    stdout = console.PlainConsole()
    if not stdout.is_terminal:
        stdout = console.PlainConsole(width=160)
    sizes = ", ".join(f"{len(split):,} {purpose}" for purpose, split in data.items())
    task = data["train"].task
    stdout.print(f"data      {sizes} samples of {len(task.classes)} {'numbers' if task.regression else 'classes'}")
    for note in notes_of(data):
        stdout.print(f"note      {note}", markup=False)
    for warning in warnings:
        stdout.print(f"caution   {warning}", markup=False)
    stdout.print(
        f"backbone  {experiment.backbone.name}, weights: {backbone.facts.get('weights')}{_whether_stored(backbone)}"
    )
    for note in backbone.facts.get("notes", ()):
        stdout.print(f"weights   {note}", markup=False)
    stdout.print(f"input     {modality_of(experiment).described(backbone.preprocessing)}")
    stdout.print(f"length    {length.total_steps:,} steps, {length.epoch_steps:,} an epoch\n")
    stdout.print(_table(rows, length))
    stdout.print(_totals(rows))


def _whether_stored(backbone: Backbone) -> str:
    """Describe whether the pretrained weights are local or will be downloaded."""
    if backbone.stored is None:
        return ""
    return " (on this machine)" if backbone.stored() else " (not on this machine: training downloads them)"


def _table(rows: Sequence[Row], length: TrainingLength) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("stage", "parameters", "trainable", "rate at first", "at its peak", "weight decay", "BatchNorm"):
        right = heading in ("parameters", "rate at first", "at its peak", "weight decay")
        table.add_column(heading, justify="right" if right else "left", no_wrap=True)
    for row in rows:
        trainable = row.from_step is not None
        rates = (f"{row.rate_at_start:.3g}", f"{row.rate_at_peak:.3g}") if trainable else ("", "")
        decay = _decay(row) if trainable else ""
        table.add_row(
            row.stage, f"{row.parameters:,}", _start(row.from_step, length), *rates, decay, _norms(row, length)
        )
    return table


def _totals(rows: Sequence[Row]) -> str:
    total = sum(row.parameters for row in rows)
    trainable = sum(row.parameters for row in rows if row.from_step is not None)
    at_first = sum(row.parameters for row in rows if row.from_step == 0)
    later = f", {at_first:,} of them from the start" if at_first < trainable else ""
    return f"{total:,} parameters; {trainable:,} trainable ({trainable / total:.1%}){later}"


def _start(step: int | None, length: TrainingLength) -> str:
    if step is None:
        return "frozen"
    return f"from step {step:,} (epoch {step / length.epoch_steps:.3g})" if step else "from the start"


def _decay(row: Row) -> str:
    if row.weight_decay == 0 or row.exempt == row.parameters:
        return "none"
    return f"{row.weight_decay:g}" if row.exempt == 0 else f"{row.weight_decay:g} (not on {row.exempt:,})"


def _norms(row: Row, length: TrainingLength) -> str:
    if row.batch_norms == 0:
        return ""
    if row.batch_norms_learn_from is None:
        return f"{row.batch_norms}, statistics fixed"
    if row.batch_norms_learn_from == 0:
        return f"{row.batch_norms}, statistics follow the data"
    return f"{row.batch_norms}, statistics fixed until step {row.batch_norms_learn_from:,}"


def draw(rates: Sequence[tuple[int, float]], rows: Sequence[Row], length: TrainingLength, path: Path) -> None:
    """Plot the learning rate of each stage over the steps of the run."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    alike: dict[tuple[int, float, tuple[tuple[int, float], ...]], list[str]] = {}
    for row in rows:
        if row.from_step is not None:
            alike.setdefault((row.from_step, row.lr_factor, row.changes), []).append(row.stage)
    for number, ((start, factor, changes), stages) in enumerate(alike.items()):
        _draw_course(axes, rates, ((start, factor), *changes), stages, number / max(1, len(alike) - 1))
    factors = [factor for start, first, changes in alike for _, factor in ((start, first), *changes)]
    if max(factors) / min(factors) > 30:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0.0)
    axes.set(xlabel="step", ylabel="learning rate", xlim=(0, length.total_steps))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    lines, names = axes.get_legend_handles_labels()
    figure.legend(lines[::-1], names[::-1], loc="outside right upper", frameon=False)  # the head's is the highest line
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})


def _draw_course(
    axes: Axes,
    rates: Sequence[tuple[int, float]],
    factors: Sequence[tuple[int, float]],
    stages: Sequence[str],
    shade: float,
) -> None:
    """Plot the learning rate of stages that share it; the lighter the shade, the nearer to the head.

    `factors` are the steps from which each factor of the rate applies.
    """
    from matplotlib import colormaps

    name = ", ".join(stages) if len(stages) <= 3 else f"{stages[0]} … {stages[-1]}"
    start = factors[0][0]
    points = [
        (step, rate * next(factor for at, factor in reversed(factors) if at <= step))
        for step, rate in rates
        if step >= start
    ]
    color = colormaps["viridis"](0.85 * (1 - shade) if shade else 0.85)
    times = ", then ".join(f"{factor:.3g}" for _, factor in factors)
    axes.plot(*zip(*points, strict=True), color=color, label=f"{name} × {times}" if times != "1" else name)
    if start:
        axes.plot(*points[0], marker="o", color=color)
