"""`ftaug augment`: write augmented copies of the training samples."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ftaug.commands.options import AsJson, Config, Overrides, Processes, share_work
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
        int | None, typer.Option(help="Number of worker processes, instead of data.workers.", min=0)
    ] = None,
    as_json: AsJson = False,
    processes: Processes = None,
) -> None:
    """Write augmented copies of samples, or print their digest."""
    if output is None and not only_hash:
        raise ExperimentError("ftaug augment: expected --output DIR or --hash")
    share_work(processes)
    from ftaug.engine.loading import augmented_copies as engine
    from ftaug.engine.loading.augmented_copies import As, Copies
    from ftaug.engine.loading.workers import processes as count_workers
    from ftaug.engine.system.ranks import joined
    from ftaug.engine.system.world import of_environment
    from ftaug.experiment_file import load
    from ftaug.runs.report import console
    from ftaug.runs.write_augmented import (
        cells_of,
        check_output,
        compute_digest,
        identity_of,
        prepare,
        training_split,
        write_copies,
    )

    with joined(of_environment()) as ranks:
        experiment = load(config, overrides or ())
        if output is not None:
            check_output(experiment, output)
        balance = per_class is PerClass.balance
        with ranks.first_of_machine_first():
            train = training_split(experiment, balance=balance)
            data = prepare(experiment, train)
        numbers = engine.numbers(train, copies, balance=balance)
        settings = {"copies": copies, "per_class": per_class and per_class.value, "format": format.value}
        identity = identity_of(experiment, train, settings, ranks)
        count = count_workers(experiment.data.workers if workers is None else workers)
        if output is None:
            digest = compute_digest(Copies(data, As.DIGEST), numbers, count, ranks)
            result: dict[str, Any] = {"digest": digest, "samples": int(numbers.sum())}
        else:
            cells = cells_of(data, as_table=format is Format.table)
            copied = Copies(data, As.CELLS if cells else As.FILES)
            result = {"output": str(output), **write_copies(copied, numbers, count, output, identity, cells, ranks)}
        if not ranks.world.is_first:
            return
    if as_json:
        print(console.to_json(result))
    else:
        print(result["digest"] if only_hash else output)
