"""`ftaug pack`: write the samples of data sets to tar archives."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from ftaug.commands.options import AsJson, Config, Overrides
from ftaug.errors import ExperimentError

_UNITS = {"kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def pack(
    config: Config,
    overrides: Overrides = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The folder to write to.", metavar="DIR")
    ] = None,
    size: Annotated[str, typer.Option(help="Maximum size of an archive, such as 500MB.", metavar="SIZE")] = "1GB",
    resize: Annotated[
        int | None, typer.Option(help="Reduce larger images to this shorter side, as JPEG.", min=1, metavar="PIXELS")
    ] = None,
    quality: Annotated[
        int | None, typer.Option(help="JPEG quality of resized images; default 92.", min=1, max=100)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the samples of data sets to tar archives, with an index and hashes."""
    from ftaug.experiment_file import load
    from ftaug.interfaces.data import Shrink
    from ftaug.runs.pack import pack as write
    from ftaug.runs.report import console
    from ftaug.runs.write_augmented import check_output

    if output is None:
        raise ExperimentError("ftaug pack: expected --output DIR")
    if quality is not None and resize is None:
        raise ExperimentError("--quality: is that of resized images; set --resize too")
    limit = size_in_bytes(size)
    experiment = load(config, overrides or ())
    check_output(experiment, output)
    shrink = None if resize is None else Shrink(resize, 92 if quality is None else quality)
    result = write(experiment, output, limit, shrink)
    print(console.to_json(result) if as_json else output)


def size_in_bytes(text: str) -> int:
    """Parse a size such as 1GB or 1.5 MB; raises ExperimentError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kMGT]B)", text.strip())
    if match is None or not float(match[1]):
        raise ExperimentError(f"--size must be a number with {', '.join(_UNITS)}, such as 500MB; got {text}")
    return int(float(match[1]) * _UNITS[match[2]])
