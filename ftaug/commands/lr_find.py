"""`ftaug lr-find`: learning rate range test (Smith 2017): suggest a peak rate from a short training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ftaug.engine.loading.split import load_splits
from ftaug.engine.system.storage import storage_errors
from ftaug.engine.training.auto_unfreeze import resolve_auto_unfreeze
from ftaug.engine.training.lr_find import Curve, Verdict, judge, rounded, smoothed_at, sweep
from ftaug.errors import ExperimentError
from ftaug.load import load
from ftaug.runs.assemble import assemble
from ftaug.runs.bad_samples import readable
from ftaug.runs.report import console, plots


def run(
    *,
    config: Path,
    overrides: Sequence[str],
    lowest: float,
    highest: float,
    steps: int,
    picture: Path | None,
    device: str,
    as_json: bool,
) -> None:
    """Run the test, print the suggestions and plot the curve; writes nothing else."""
    if not 0 < lowest < highest:
        raise ExperimentError(f"--from must be above 0 and below --to; got {lowest:g} and {highest:g}")
    experiment = load(config, overrides)
    data = readable(experiment, load_splits(experiment.data, experiment.seed))
    experiment, _ = resolve_auto_unfreeze(experiment, device, data)
    with assemble(experiment, device, data, pretrained=True) as (state, _):
        curve = sweep(state, lowest, highest, steps)
    verdict = judge(curve, experiment.lr.peak)
    path = picture or Path(f"{config.stem}-lr-find.png")
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
    at = smoothed_at(curve, list(verdict.suggestions.values()))
    rows = [(name, f"{rate:.2e}", loss) for (name, rate), loss in zip(verdict.suggestions.items(), at, strict=True)]
    ended = f", ended at {curve.rates[-1]:.2g}, where the loss ran away" if curve.diverged else ""
    console.show(f"{len(curve.rates)} steps from {curve.rates[0]:.2g} on{ended}")
    console.show(console.table(("rule", "rate", "smoothed loss"), rows))
    console.show(*verdict.sentences, f"curve: {path}", f"try lr.peak={rounded(verdict.rate)}")
