"""`ftaug verify`: check the files of a run folder against their hashes, and say what can be resumed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ftaug.commands.options import AsJson
from ftaug.errors import BadData

if TYPE_CHECKING:
    from ftaug.runs.verification.verify import RunCheck

Folder = Annotated[Path, typer.Argument(help="A run folder, or a folder of folds or runs.", metavar="RUN")]


def verify(run: Folder, as_json: AsJson = False) -> None:
    """Check the files of a run against their hashes, and say what can be resumed."""
    from ftaug.config.strict_json import dumps
    from ftaug.runs.verification.verify import verify as verify_all

    checked = verify_all(run)
    if as_json:
        print(dumps([each.as_json() for each in checked], indent=2))
    else:
        for each in checked:
            _show(each)
    damage = [f"{each.run / check.path}: {check.detail or check.state}" for each in checked for check in each.damage]
    if damage:
        error = BadData(*damage)
        error.result_printed = True
        raise error


def _show(checked: RunCheck) -> None:
    """Print the files that are not good, a count of the others, and what can be resumed."""
    from ftaug.runs.report import console

    good = [check for check in checked.checks if check.state == "good"]
    rest = [check for check in checked.checks if check.state != "good"]
    console.show(f"{checked.run}: {checked.resumption}; {len(good)} of {len(checked.checks)} files are good")
    if rest:
        console.show(console.table(("state", "file", "what"), [(c.state, c.path, c.detail) for c in rest]))
