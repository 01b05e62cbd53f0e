"""`ftaug self-train`: train on unlabeled samples that several runs have labeled, if validation shows no harm."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ftaug.commands.options import AsJson, Confidence, Config, Device, OnDevice, Overrides, Precision, TrustPlugins


def self_train(
    config: Config,
    unlabeled: Annotated[
        list[str],
        typer.Option(
            "--unlabeled", help="Samples without labels: a file or folder, a table of texts; repeat.", metavar="SOURCE"
        ),
    ],
    overrides: Overrides = None,
    members: Annotated[int, typer.Option(help="Number of runs whose mean prediction is the label.", min=1)] = 3,
    confidence: Confidence = None,
    precision: Precision = 0.95,
    per_class: Annotated[
        int | None, typer.Option(help="Most pseudo-labels of a class, the most confident ones.", min=1, metavar="COUNT")
    ] = None,
    soft: Annotated[
        bool, typer.Option("--soft", help="Train the student on the probabilities of all classes, not on labels.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="The folder of all runs, instead of runs/NAME-self-training-HASH."),
    ] = None,
    device: OnDevice = Device.auto,
    as_json: AsJson = False,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Train on labeled and unlabeled samples; prints the run of the student, or one without it.

    Several runs label the unlabeled samples, and a student is trained on both for as many steps. Unless it is better
    on validation, the run on the labeled samples alone is the result. The same command continues.
    """
    from ftaug.config.dump import folder_digest
    from ftaug.experiment_file import open_experiment

    experiment = open_experiment(config, trust_plugins=trust_plugins).experiment(overrides or ())

    # import torch only after the file is known to be valid: it takes seconds
    from ftaug.runs.pseudo_label_table import Options
    from ftaug.runs.report import console
    from ftaug.runs.self_training import SelfTraining, check, conclusion, open_folder, run_self_training
    from ftaug.runs.study.study_run import StudyRun
    from ftaug.runs.study.train_run import trainer

    options = Options(confidence, precision, per_class, soft)
    digest = folder_digest(experiment, config.absolute().parent)
    training = SelfTraining(experiment, digest, overrides or (), unlabeled, members, options)
    check(training)

    train_quietly = trainer(config, device.value, trust_plugins=trust_plugins)

    def train(run: StudyRun) -> None:
        console.say(f"training {run.path}")
        train_quietly(run)

    result = run_self_training(training, open_folder(training, output), train, trust_plugins=trust_plugins)
    console.say("", conclusion(result))
    print(console.to_json(result) if as_json else result["run"])
