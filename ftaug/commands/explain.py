"""`ftaug explain`: show what predictions depend on, by methods that were tested on the model."""

from __future__ import annotations

from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Annotated

import typer

from ftaug.commands.options import AsJson, Inputs, Run, TrustPlugins
from ftaug.errors import ExperimentError, one_of


def explain(
    run: Run,
    inputs: Inputs,
    method: Annotated[
        str, typer.Option(help="An explainer (`ftaug list explainer`); auto: the best on this model.", metavar="NAME")
    ] = "auto",
    class_: Annotated[
        str | None,
        typer.Option("--class", help="The class or target to explain; default: what is predicted.", metavar="NAME"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="The file to write, .png, .html or .json; default explanation.png, for texts the terminal.",
            metavar="FILE",
        ),
    ] = None,
    neighbors: Annotated[
        int, typer.Option(help="Also list so many of the most similar training samples.", min=0, metavar="K")
    ] = 0,
    as_json: AsJson = False,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Show what predictions depend on, by methods that were tested on the model."""
    from ftaug import experiment_file
    from ftaug.engine.loading.prepare import modality_of
    from ftaug.runs.component_option import parse_component
    from ftaug.runs.explanation import files, method_choice
    from ftaug.runs.explanation.explain import Explainer, output_index
    from ftaug.runs.explanation.explained_model import ExplainedModel
    from ftaug.runs.neighbors import open_index, table, with_neighbors
    from ftaug.runs.open_run import load_run_experiment, open_calibrated_run
    from ftaug.runs.prediction import Failures, Prediction
    from ftaug.runs.report import console

    experiment = load_run_experiment(run, trust_plugins=trust_plugins)
    verbs = modality_of(experiment)
    output = output or verbs.explanation.default_output
    if output is not None and output.suffix.lower() not in verbs.explanation.suffixes:
        raise ExperimentError(f"{output}: must end in {one_of(verbs.explanation.suffixes)}")
    context = {
        "modality": experiment.modality,
        "other_modalities": partial(experiment_file.import_others, experiment.modality),
    }
    component = None if method == "auto" else parse_component("explainer", method, "--method", context)
    opened = open_calibrated_run(run, trust_plugins=trust_plugins)
    index = output_index(opened.task, class_)
    sources = verbs.inputs(inputs, opened.experiment.data.train)
    first = list(islice(sources, 1))  # fail on wrong names before methods are tested
    feature_index = open_index(opened) if neighbors else None
    model = ExplainedModel.for_explainers(opened)
    choice = method_choice.choose(opened, model, component)
    if component is None:
        for sentence in method_choice.sentences(choice):
            console.say(sentence)
    explanations, failures, done = [], Failures(), 0
    for item in Explainer(opened, model, choice.method, index).explain(chain(first, sources)):
        if isinstance(item, Prediction):
            failures.see(item)
        else:
            explanations.append(item)
        done += 1
    if explanations and feature_index is not None:
        explanations = with_neighbors(explanations, feature_index, neighbors)
    if explanations and output is not None:
        files.write(explanations, choice, opened, output)
    if as_json:
        print(console.to_json({**files.as_json(explanations, choice), "output": str(output) if output else None}))
    elif explanations:
        screen = verbs.explanation.screen(explanations, opened.preprocessing) if output is None else None
        console.show(screen or files.table(explanations), *([table(explanations)] if neighbors else []))
        if output is not None:
            print(output)
    failures.check(done)
