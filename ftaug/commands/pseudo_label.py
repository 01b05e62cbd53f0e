"""`ftaug pseudo-label`: label samples by the mean prediction of trained runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ftaug.commands.options import AsJson, Confidence, Precision, TrustPlugins


def pseudo_label(
    runs: Annotated[
        list[Path],
        typer.Argument(help="Run folders, of folds too; their mean prediction is the label.", metavar="RUN..."),
    ],
    data: Annotated[
        list[str],
        typer.Option(
            "--data",
            help="What to label, as for predict: a file or folder, a table of texts; repeat for several.",
            metavar="SOURCE",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The table to write (.csv).", metavar="FILE")],
    confidence: Confidence = None,
    precision: Precision = 0.95,
    per_class: Annotated[
        int | None, typer.Option(help="Most samples of a class, the most confident ones.", min=1, metavar="COUNT")
    ] = None,
    soft: Annotated[
        bool, typer.Option("--soft", help="Write the probabilities of all classes too, as soft targets.")
    ] = False,
    as_json: AsJson = False,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Label samples by the mean prediction of runs, for use as training data; prints the table's path."""
    from ftaug.runs.pseudo_label_table import Options, describe, write_pseudo_labels
    from ftaug.runs.report import console

    options = Options(confidence, precision, per_class, soft)
    result = write_pseudo_labels(runs, data, output, options, trust_plugins=trust_plugins)
    console.say(*describe(result.summary), f"train on them: 'data.pseudo_labels={result.dataset}'")
    print(console.to_json(result.summary) if as_json else output)
    result.failures.check(result.inputs)
