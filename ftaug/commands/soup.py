"""`ftaug soup`: average the weights of several runs, keeping those that improve validation. Wortsman et al. 2022."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from ftaug.commands.options import AsJson, TrustPlugins
from ftaug.errors import ExperimentError, FtaugError


def soup(
    runs: Annotated[list[Path], typer.Argument(help="Run folders of one network and one task.", metavar="RUN...")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The run folder to write, instead of the first RUN-soup.", metavar="DIR"),
    ] = None,
    as_json: AsJson = False,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Average several runs, keeping those that improve validation; prints a run folder."""
    from ftaug.runs import weight_mixing
    from ftaug.runs.report import console
    from ftaug.runs.soup import Soup

    if len({run.resolve() for run in runs}) < max(2, len(runs)):
        raise ExperimentError("a soup needs two or more different runs; for a single run, try `ftaug blend RUN`")
    host = weight_mixing.open_ingredient(runs[0], trust_plugins=trust_plugins)
    path = output or runs[0].with_name(f"{runs[0].resolve().name}-soup")
    with weight_mixing.mix_folder(path, host, weight_mixing.identity("soup", runs)) as folder:
        if folder.complete is None:
            try:
                best, account = Soup(host, runs, trust_plugins).best_soup()
                weight_mixing.complete(
                    folder, host, [Path(name) for name in account["ingredients"]], best, "soup", account
                )
            except FtaugError:
                folder.abandon()
                raise
            _show(account)
        else:
            console.say(f"already complete: {path}")
        result = {"run": str(path), **(folder.complete or {})}
        print(console.to_json(result | {"soup": weight_mixing.account(path, "soup")}) if as_json else path)


def _show(account: Mapping[str, Any]) -> None:
    """Print the human-readable table of all soups on stderr."""
    from ftaug.runs.report import console

    names = list(account["rows"][0]["metrics"])
    rows = [
        (row["soup"], row["norms"] or "", *(row["metrics"][name] for name in names), "kept" if row["kept"] else "")
        for row in account["rows"]
    ]
    console.say(console.table(("soup", "BatchNorm", *(f"val {name}" for name in names), ""), rows))
    count = len(account["ingredients"])
    console.say(f"{count} ingredient{'s' * (count != 1)}: {', '.join(account['ingredients'])}")
