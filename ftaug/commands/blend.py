"""`ftaug blend`: interpolate between the initial and the trained weights of a run (as in WiSE-FT)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ftaug.errors import FtaugError
from ftaug.runs import weight_mixing
from ftaug.runs.initial_weights import weights_of
from ftaug.runs.report import console, plots, training_summary
from ftaug.runs.report.progress_bar import ProgressBar
from ftaug.runs.trained_model import TrainedModel

ALPHAS = tuple(step / 10 for step in range(11))


def run(*, run: Path, alphas: Sequence[float], to: Path | None, as_json: bool, trust_plugins: bool) -> None:
    """Evaluate interpolations on validation, write the best one as a run folder and print its path."""
    chosen = sorted(set(alphas or ALPHAS))
    opened = weight_mixing.open_ingredient(run, trust_plugins=trust_plugins)
    path = to or run.with_name(f"{run.resolve().name}-blend")
    with weight_mixing.mix_folder(path, opened, weight_mixing.identity("blend", [run], *chosen)) as folder:
        if folder.complete is None:
            try:
                start, own_head = weight_mixing.start_of(opened, trust_plugins=trust_plugins)
                rows, best = blended(opened, start, chosen)
                account = {"run": str(run), "head_is_blended": own_head, **best[1], "blends": rows}
                weight_mixing.complete(folder, opened, [run], best[0], "blend", account)
                plots.blend(rows, opened.experiment.evaluate.best, best[1]["alpha"], folder.path)
            except FtaugError:
                folder.abandon()
                raise
            show(opened, account)
        else:
            console.say(f"already complete: {path}")
        result = {"run": str(path), **(folder.complete or {})}
        print(console.to_json(result | {"blend": weight_mixing.account(path, "blend")}) if as_json else path)


def blended(
    opened: TrainedModel, start: weight_mixing.Weights, alphas: Sequence[float]
) -> tuple[list[dict[str, Any]], tuple[weight_mixing.Candidate, dict[str, Any]]]:
    """Evaluate a blend per alpha; return all rows and the best: ties by the lower loss, then the smaller alpha."""
    end = weights_of(opened)
    norms = weight_mixing.differing_norms(opened, start, end)
    rows: list[dict[str, Any]] = []
    best: tuple[weight_mixing.Candidate, dict[str, Any]] | None = None
    with ProgressBar(len(alphas), 0, unit="blend") as progress_bar:
        for alpha in alphas:
            for candidate in _at(opened, start, end, alpha, norms):
                row = {"alpha": alpha, "norms": candidate.norms, "metrics": dict(candidate.values)}
                rows.append(row)
                if best is None or candidate.rank > best[0].rank:
                    best = candidate, {"alpha": alpha, "norms": candidate.norms}
            progress_bar.advance()
            progress_bar.status(f"alpha {alpha:g}")
    assert best is not None
    return rows, best


def _at(
    opened: TrainedModel, start: weight_mixing.Weights, end: weight_mixing.Weights, alpha: float, norms: Sequence[str]
) -> Iterator[weight_mixing.Candidate]:
    """Evaluate the blend at an alpha; strictly between 0 and 1 also with recomputed BatchNorm statistics."""
    weights = weight_mixing.between(start, end, alpha)
    yield from weight_mixing.evaluate_weights(opened, weights, norms if 0 < alpha < 1 else ())


def show(opened: TrainedModel, account: Mapping[str, Any]) -> None:
    """Print the human-readable table of all blends on stderr."""
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
    stderr = training_summary.console()
    stderr.print(console.table(("alpha", "BatchNorm", *(f"val {name}" for name in names), ""), rows))
    if not account["head_is_blended"]:
        stderr.print(
            "the head is that of the run in all of them: the weights it started from had none for these classes"
        )
    if "test" not in opened.splits:
        stderr.print("chosen by validation samples: measure on others before you rely on it")
