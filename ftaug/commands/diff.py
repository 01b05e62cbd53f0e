"""`ftaug diff`: whether two runs have the same bits, and where they part."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ftaug.commands.options import AsJson, TrustPlugins
from ftaug.errors import NotReached

First = Annotated[Path, typer.Argument(help="A run folder.", metavar="RUN")]
Second = Annotated[Path, typer.Argument(help="Another one.", metavar="RUN")]


def diff(first: First, second: Second, as_json: AsJson = False, trust_plugins: TrustPlugins = False) -> None:
    """Compare two runs bit by bit, and say where they part."""
    from ftaug.runs.report import console
    from ftaug.runs.report import run_diff as report
    from ftaug.runs.run_diff import compare_runs

    result = compare_runs(first, second, trust_plugins=trust_plugins)
    if as_json:
        print(console.to_json(report.as_json(result)))
    else:
        report.show(result)
    if not result.is_same:
        raise NotReached(f"{first} and {second}: {report.verdict(result)}")
