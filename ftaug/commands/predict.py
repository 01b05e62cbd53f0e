"""`ftaug predict`: run inference on new samples with a trained model."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import chain, islice
from math import inf
from pathlib import Path
from typing import Annotated

import typer

from ftaug.commands.options import AsJson, Inputs, Processes, Run, TrustPlugins, share_work
from ftaug.errors import ExperimentError
from ftaug.streams import require_reader


def predict(
    run: Run,
    inputs: Inputs,
    top_k: Annotated[
        int | None, typer.Option(help="Number of classes to print for each input; default 1.", min=1)
    ] = None,
    coverage: Annotated[
        float | None,
        typer.Option(
            help="Share of samples to predict, such as 0.9: abstain from the least confident (after calibrate).",
            metavar="SHARE",
        ),
    ] = None,
    sets: Annotated[
        float | None,
        typer.Option(
            help="Add the set of classes that holds the true one with this probability (after calibrate).",
            metavar="PROBABILITY",
        ),
    ] = None,
    every: Annotated[
        float | None,
        typer.Option(help="Predict each part of so many seconds of a sound, not the whole.", metavar="SECONDS"),
    ] = None,
    as_json: AsJson = False,
    csv: Annotated[Path | None, typer.Option(help="Write the predictions to this file.", metavar="FILE")] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the predictions to this .csv, .jsonl or .parquet.", metavar="FILE"),
    ] = None,
    features: Annotated[
        bool, typer.Option("--features", help="Add the inputs of the output layer, in --output, --csv or --json.")
    ] = False,
    trust_plugins: TrustPlugins = False,
    processes: Processes = None,
) -> None:
    """Predict the classes, or the numbers, of new samples."""
    share_work(processes)
    from ftaug.engine.loading.prepare import modality_of
    from ftaug.engine.system.ranks import joined
    from ftaug.engine.system.world import of_environment
    from ftaug.runs.open_run import open_calibrated_run
    from ftaug.runs.prediction import Failures
    from ftaug.runs.report.prediction_output import open_sinks
    from ftaug.runs.report.predictions import WithFeatures, form
    from ftaug.runs.report.uncertainty import add_uncertainty
    from ftaug.runs.resumed_prediction import feature_model, predictions_for

    file = output or csv
    if every is not None and not 0 < every < inf:
        raise ExperimentError(f"--every must be a number of seconds above 0; got {every:g}")
    if features and file is None and not as_json:
        raise ExperimentError("--features: a table on the screen has no room for them; add --output FILE or --json")
    if file is None:
        require_reader()
    with joined(of_environment()) as ranks:
        opened = open_calibrated_run(run, trust_plugins=trust_plugins).shared_by(ranks)
        opened.note_precision()
        layout = add_uncertainty(form(opened.task, top_k), opened, coverage, sets)
        layout = WithFeatures(layout) if features else layout
        modality = modality_of(opened.experiment)
        named_inputs = modality.inputs(inputs, opened.experiment.data.train)
        if every is not None:
            named_inputs = modality.parts(named_inputs, every)
        done, failures = 0, Failures()
        with ExitStack() as stack:
            network = feature_model(opened) if features else None
            predictions = stack.enter_context(predictions_for(opened, named_inputs, network, file))
            first = list(islice(predictions, 1))  # fail on wrong names before anything is printed
            written = open_sinks(layout, as_json, csv, output) if ranks.world.is_first else ()
            sinks = [stack.enter_context(sink) for sink in written]
            for prediction in chain(first, predictions):
                for sink in sinks:
                    sink(prediction)
                failures.see(prediction)
                done += 1
    failures.check(done)
