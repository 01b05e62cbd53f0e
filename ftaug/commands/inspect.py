"""`ftaug inspect`: show data, layers, trainable parameters and learning rates of an experiment without training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftaug.commands.options import AsJson, Overrides
from ftaug.errors import BadData, ExperimentError, MissingInput

if TYPE_CHECKING:
    from ftaug.config.experiment import Experiment
    from ftaug.engine.loading.split import DataSplit


def inspect(
    target: Annotated[Path, typer.Argument(help="An experiment file or a run folder.", metavar="CONFIG|RUN")],
    overrides: Overrides = None,
    cka: Annotated[
        bool, typer.Option("--cka", help="Of a run: CKA similarity of each stage before and after training.")
    ] = False,
    read: Annotated[
        bool,
        typer.Option(
            "--read", help="Read every sample: list the unreadable ones, and show sizes, durations or lengths."
        ),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Draw the learning rates over the run into this PNG file.", metavar="FILE"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the data, the layers, and which are trainable at which rate."""
    from ftaug.config.strict_json import dumps
    from ftaug.engine.loading.prepare import training_length
    from ftaug.engine.system.storage import storage_errors
    from ftaug.engine.training import unfreeze
    from ftaug.engine.training.build import build_model, cautions_of
    from ftaug.engine.training.parameter_summary import course, outline
    from ftaug.engine.training.peft import adapt
    from ftaug.engine.training.pretext_task import with_pretext_task
    from ftaug.experiment_file import load
    from ftaug.runs.bad_samples import without
    from ftaug.runs.data_check import read_all
    from ftaug.runs.report import console, fact_table, inspection, rate_plot

    config = _config(target)
    if output is not None and output.suffix.lower() != ".png":
        raise ExperimentError(f"{output}: must end in .png")
    experiment = load(config, overrides or ())
    alike = _alike(target) if cka else {}
    data = with_pretext_task(experiment, _data(target, experiment))
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
    facts = fact_table.distributions(experiment, data) if read and failure is None else {}
    length = training_length(experiment, data["train"].epoch_samples)
    method = adapt(backbone, experiment)
    rows = outline(backbone, experiment, unfreeze.plan(backbone, experiment, length, method.parameters), length)
    if output is not None:
        with storage_errors(f"cannot write {output}"):
            rate_plot.draw(course(experiment, length), rows, length, output)
    license = _license(target, backbone.facts)
    warnings = [*cautions_of(experiment, data, backbone.preprocessing), *repeated]
    if as_json:
        result = inspection.as_json(data, backbone, rows, length, license) | {"cautions": warnings}
        result |= {"picture": str(output)} if output is not None else {}
        result |= {"bad_samples": [inspection.bad_sample(sample) for sample in bad]} if read else {}
        result |= {"facts": facts} if facts else {}
        print(dumps(result | ({"cka": alike} if cka else {}), indent=2))
    else:
        inspection.show(data, backbone, experiment, rows, length, warnings, license)
        if facts:
            console.show(fact_table.table(facts))
        if output is not None:
            print(f"learning rates over the run: {output}")
        if cka:
            console.show(console.table(("stage", "features alike"), alike.items()))
    if failure is not None:
        failure.result_printed = True
        raise failure


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
    from ftaug.engine.system.run_files import FOLDS_FILE

    if (target / FOLDS_FILE).is_file():
        return target / "fold-1" / "resolved.yaml"
    if not (target / "resolved.yaml").is_file():
        raise MissingInput(f"{target}: neither an experiment file nor a run folder (no resolved.yaml)")
    return target / "resolved.yaml"


def _license(target: Path, facts: Mapping[str, Any]) -> str | None:
    """Return the license of the pretrained weights: as recorded by a run, else as the backbone says."""
    from ftaug.engine.system.run_files import MODEL_FILE, read_json

    recorded = (read_json(_config(target).parent / MODEL_FILE) or {}) if target.is_dir() else {}
    license = recorded.get("weights_from", {}).get("license") or facts.get("license")
    return None if license is None else str(license)


def _data(target: Path, experiment: Experiment) -> Mapping[str, DataSplit]:
    """Return the splits that a run was trained on, or those of the experiment file."""
    from ftaug.engine.loading.split import load_splits
    from ftaug.engine.system.run_files import MODEL_FILE
    from ftaug.runs.trained_model import recorded_data

    if target.is_dir() and (_config(target).parent / MODEL_FILE).is_file():
        return dict(recorded_data(_config(target).parent, experiment))
    return load_splits(experiment.data, experiment.seed)
