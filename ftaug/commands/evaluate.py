"""`ftaug evaluate`: compute metrics of a trained model on the test split, or on validation without one."""

from __future__ import annotations

from typing import Annotated

import typer

from ftaug.commands.options import AsJson, Require, Run, Split, TrustPlugins


def evaluate(
    run: Run,
    split: Annotated[Split | None, typer.Option(help="What to measure on; test if there is one, else val.")] = None,
    as_json: AsJson = False,
    require: Require = None,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Measure a trained model."""
    from ftaug.engine.system.storage import storage_errors
    from ftaug.runs.open_run import open_calibrated_run
    from ftaug.runs.report import console, evaluation, intervals
    from ftaug.runs.requirements import Requirement, check, check_names

    requirements = [Requirement.parse(text) for text in require or ()]
    opened = open_calibrated_run(run, trust_plugins=trust_plugins)
    opened.note_precision()
    check_names(requirements, evaluation.metric_names(opened))
    data = opened.select_split(split.value if split else None)
    measured = opened.compute_metrics(opened.logits(data), data)
    report = evaluation.report(opened, data, measured)
    with storage_errors(f"{run}: the report cannot be written"):
        report["files"] = [str(path) for path in evaluation.write(report, opened, data, measured)]
    if as_json:
        print(console.to_json(report))
    else:
        evaluation.show(report, opened.task)
    check(requirements, intervals.required_values(report))
