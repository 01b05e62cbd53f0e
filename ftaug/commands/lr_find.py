"""`ftaug lr-find`: learning rate range test (Smith 2017): suggest a peak rate from a short training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftaug.commands.options import AsJson, Config, Device, OnDevice, Overrides
from ftaug.errors import ExperimentError

if TYPE_CHECKING:
    from ftaug.engine.training.lr_find import Curve, Verdict


def lr_find(
    config: Config,
    overrides: Overrides = None,
    lowest: Annotated[float, typer.Option("--from", help="The first rate.", metavar="RATE")] = 1e-6,
    highest: Annotated[float, typer.Option("--to", help="The last rate.", metavar="RATE")] = 1.0,
    steps: Annotated[int, typer.Option(help="Steps in between.", min=20)] = 100,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The picture to write, instead of CONFIG-lr-find.png.", metavar="FILE"),
    ] = None,
    device: OnDevice = Device.auto,
    as_json: AsJson = False,
) -> None:
    """Suggest a learning rate, from a short training."""
    from ftaug.engine.loading.split import load_splits
    from ftaug.engine.system.storage import storage_errors
    from ftaug.engine.training.auto_unfreeze import resolve_auto_unfreeze
    from ftaug.engine.training.lr_find import assess, smoothed_at, sweep
    from ftaug.experiment_file import load
    from ftaug.runs.assemble import assemble
    from ftaug.runs.bad_samples import readable
    from ftaug.runs.report import console, plots

    if not 0 < lowest < highest:
        raise ExperimentError(f"--from must be greater than 0 and less than --to; got {lowest:g} and {highest:g}")
    experiment = load(config, overrides or ())
    data = readable(experiment, load_splits(experiment.data, experiment.seed))
    experiment, _ = resolve_auto_unfreeze(experiment, device.value, data)
    with assemble(experiment, device.value, data, pretrained=True) as (state, _):
        curve = sweep(state, lowest, highest, steps)
    verdict = assess(curve, experiment.lr.peak)
    path = output or Path(f"{config.stem}-lr-find.png")
    with storage_errors(f"cannot write {path}"):
        plots.lr_find(
            curve.rates.tolist(),
            curve.losses.tolist(),
            curve.smoothed.tolist(),
            {
                name: (rate, loss)
                for (name, rate), loss in zip(
                    verdict.suggestions.items(), smoothed_at(curve, list(verdict.suggestions.values())), strict=True
                )
            },
            experiment.lr.peak,
            path,
        )
    if as_json:
        print(console.to_json(_as_json(curve, verdict, path)))
    else:
        _print(curve, verdict, path)


def _as_json(curve: Curve, verdict: Verdict, path: Path) -> dict[str, Any]:
    from ftaug.engine.training.lr_find import rounded

    return {
        "lr": float(rounded(verdict.rate)),
        "suggestions": verdict.suggestions,
        "verdict": verdict.sentences,
        "diverged": curve.diverged,
        "rates": curve.rates,
        "losses": curve.losses,
        "smoothed": curve.smoothed,
        "picture": str(path),
    }


def _print(curve: Curve, verdict: Verdict, path: Path) -> None:
    from ftaug.engine.training.lr_find import rounded, smoothed_at
    from ftaug.runs.report import console

    at = smoothed_at(curve, list(verdict.suggestions.values()))
    rows = [(name, f"{rate:.2e}", loss) for (name, rate), loss in zip(verdict.suggestions.items(), at, strict=True)]
    ended = f", ended at {curve.rates[-1]:.2g}, where the loss diverged" if curve.diverged else ""
    console.show(f"{len(curve.rates)} steps from {curve.rates[0]:.2g} on{ended}")
    console.show(console.table(("rule", "rate", "smoothed loss"), rows))
    console.show(*verdict.sentences, f"curve: {path}", f"try lr.peak={rounded(verdict.rate)}")
