"""`ftaug augment`: write augmented copies of the training samples."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ftaug.commands.options import AsJson, Config, Overrides
from ftaug.errors import ExperimentError


class Format(StrEnum):
    """Layout of the written samples."""

    folder = "folder"
    table = "table"


class PerClass(StrEnum):
    """How many copies a class gets."""

    balance = "balance"


def augment(
    config: Config,
    overrides: Overrides = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The folder to write to.", metavar="DIR")
    ] = None,
    copies: Annotated[int, typer.Option(help="Copies of each training sample: the first is epoch 0's.", min=1)] = 1,
    format: Annotated[
        Format, typer.Option(help="A folder for each class, or a table beside all files.")
    ] = Format.folder,
    per_class: Annotated[
        PerClass | None, typer.Option(help="More copies of rarer classes, until all have as many.")
    ] = None,
    only_hash: Annotated[bool, typer.Option("--hash", help="Print the digest of all copies.")] = False,
    workers: Annotated[
        int | None, typer.Option(help="Processes that make them, instead of data.workers.", min=0)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write augmented copies of samples, or print their digest."""
    from ftaug.config.dump import digest
    from ftaug.engine.loading import augmented_copies as engine
    from ftaug.engine.loading.augmented_copies import As, Copies
    from ftaug.engine.loading.workers import processes
    from ftaug.experiment_file import load
    from ftaug.runs.report import console
    from ftaug.runs.write_augmented import cells_of, check_output, compute_digest, prepare, training_split, write_copies

    if output is None and not only_hash:
        raise ExperimentError("ftaug augment: needs --output DIR to write to, or --hash")
    experiment = load(config, overrides or ())
    if output is not None:
        check_output(experiment, output)
    balance = per_class is PerClass.balance
    train = training_split(experiment, balance=balance)
    numbers = engine.numbers(train, copies, balance=balance)
    data = prepare(experiment, train)
    count = processes(experiment.data.workers if workers is None else workers)
    if output is None:
        value = compute_digest(Copies(data, As.DIGEST), numbers, count)
        print(console.to_json({"digest": value, "samples": int(numbers.sum())}) if as_json else value)
        return
    identity = {
        "experiment": digest(experiment),
        "data": train.fingerprint,
        "seed": experiment.seed,
        "copies": copies,
        "per_class": per_class.value if per_class else None,
        "format": format.value,
    }
    cells = cells_of(data, as_table=format is Format.table)
    result = write_copies(Copies(data, As.CELLS if cells else As.FILES), numbers, count, output, identity, cells)
    if as_json:
        print(console.to_json({"output": str(output), **result}))
    else:
        print(result["digest"] if only_hash else output)
