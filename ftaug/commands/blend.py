"""`ftaug blend`: interpolate between the initial and the trained weights of a run (as in WiSE-FT)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftaug.commands.options import AsJson, Run, TrustPlugins
from ftaug.errors import FtaugError

if TYPE_CHECKING:
    from ftaug.runs.trained_model import TrainedModel

ALPHAS = tuple(step / 10 for step in range(11))


def blend(
    run: Run,
    alpha: Annotated[
        list[float] | None,
        typer.Option(help="Share of the trained weights; repeatable; default 0, 0.1 … 1.", min=0.0, max=1.0),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The run folder to write, instead of RUN-blend.", metavar="DIR"),
    ] = None,
    as_json: AsJson = False,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Blend a run's first weights with its last; prints a run folder."""
    from ftaug.runs import weight_mixing
    from ftaug.runs.blend import evaluate_blends
    from ftaug.runs.report import console, plots

    chosen = sorted(set(alpha or ALPHAS))
    opened = weight_mixing.open_ingredient(run, trust_plugins=trust_plugins)
    path = output or run.with_name(f"{run.resolve().name}-blend")
    with weight_mixing.mix_folder(path, opened, weight_mixing.identity("blend", [run], *chosen)) as folder:
        if folder.complete is None:
            try:
                start, own_head = weight_mixing.start_of(opened, trust_plugins=trust_plugins)
                rows, best = evaluate_blends(opened, start, chosen)
                account = {"run": str(run), "head_is_blended": own_head, **best[1], "blends": rows}
                weight_mixing.complete(folder, opened, [run], best[0], "blend", account)
                plots.blend(rows, opened.experiment.evaluate.best, best[1]["alpha"], folder.path)
            except FtaugError:
                folder.abandon()
                raise
            _show(opened, account)
        else:
            console.say(f"already complete: {path}")
        result = {"run": str(path), **(folder.complete or {})}
        print(console.to_json(result | {"blend": weight_mixing.account(path, "blend")}) if as_json else path)


def _show(opened: TrainedModel, account: Mapping[str, Any]) -> None:
    """Print the human-readable table of all blends on stderr."""
    from ftaug.runs.report import console

    names = list(account["blends"][0]["metrics"])
    chosen = account["alpha"], account["norms"]
    rows = [
        (
            f"{row['alpha']:g}",
            row["norms"] or "",
            *(row["metrics"][name] for name in names),
            "best" if (row["alpha"], row["norms"]) == chosen else "",
        )
        for row in account["blends"]
    ]
    console.say(console.table(("alpha", "BatchNorm", *(f"val {name}" for name in names), ""), rows))
    if not account["head_is_blended"]:
        console.say("every blend has the head of the trained run: its initial weights had no head for these classes")
    if "test" not in opened.splits:
        console.say("chosen on the validation samples: evaluate on other samples before you rely on it")
