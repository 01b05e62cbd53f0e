"""`ftaug evaluate`: compute metrics of a trained model on the test split, or on validation without one."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from ftaug.commands.options import AsJson, Processes, Require, Run, Split, TrustPlugins, share_work


class Records(StrEnum):
    """A file format of records."""

    csv = "csv"
    parquet = "parquet"


def evaluate(
    run: Run,
    split: Annotated[Split | None, typer.Option(help="What to measure on; test if there is one, else val.")] = None,
    slices: Annotated[
        list[str] | None,
        typer.Option(
            help="Break the results down by a column of the data's table, or by a fact such as brightness; "
            "repeat for several; all for every one.",
            metavar="COLUMN",
        ),
    ] = None,
    corruptions: Annotated[
        list[str] | None,
        typer.Option(
            help="Measure on corrupted samples too: all, or a name such as fog or blur; repeat for several.",
            metavar="NAME",
        ),
    ] = None,
    records: Annotated[
        Records, typer.Option(help="Format of the records of the samples; parquet needs the extra of that name.")
    ] = Records.csv,
    as_json: AsJson = False,
    require: Require = None,
    trust_plugins: TrustPlugins = False,
    processes: Processes = None,
) -> None:
    """Measure a trained model."""
    share_work(processes)
    from ftaug.engine.system.ranks import joined
    from ftaug.engine.system.storage import storage_errors
    from ftaug.engine.system.world import of_environment
    from ftaug.runs import parquet_records
    from ftaug.runs.corruption_evaluation import choose_corruptions
    from ftaug.runs.open_run import open_calibrated_run
    from ftaug.runs.report import console, evaluation
    from ftaug.runs.requirements import Requirement, check, check_names
    from ftaug.runs.sample_columns import choose_columns, column_names, columns_with_facts

    if records is Records.parquet:
        parquet_records.library("--records parquet")
    requirements = [Requirement.parse(text) for text in require or ()]
    with joined(of_environment()) as ranks:
        opened = open_calibrated_run(run, trust_plugins=trust_plugins).shared_by(ranks)
        opened.note_precision()
        data = opened.select_split(split.value if split else None)
        chosen = choose_corruptions(opened, corruptions or ())
        names_of_columns = column_names(opened, data, slices or ())
        check_names(requirements, evaluation.requirement_names(opened, names_of_columns, chosen))
        columns = columns_with_facts(opened, data, slices or ())
        measured = opened.compute_metrics(opened.logits(data), data)
        report = evaluation.report(opened, data, measured)
        report |= evaluation.sections(opened, data, measured, choose_columns(columns, slices or ()), chosen)
        if not ranks.world.is_first:
            return
        with storage_errors(f"{run}: the report cannot be written"):
            files = evaluation.write(report, opened, data, measured, columns, records.value)
            report["files"] = [str(path) for path in files]
    if as_json:
        print(console.to_json(report))
    else:
        evaluation.show(report, opened.task)
    check(requirements, evaluation.required_values(report))
