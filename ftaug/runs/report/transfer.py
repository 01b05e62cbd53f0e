"""Print whether a policy carries over to other backbones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ftaug.runs.ablation.ablate import Ablation
from ftaug.runs.policy.transfer import TransferTarget
from ftaug.runs.report import console
from ftaug.runs.report.comparison import p_value

Results = Sequence[tuple[TransferTarget, Ablation]]


def show(results: Results, path: Path) -> None:
    """Print the table of all backbones, and for each whether the policy is better than the reference."""
    first = results[0][1]
    direction = "higher" if first.higher_is_better else "lower"
    notes = dict.fromkeys(f"note: {note}" for _, each in results for note in each.notes)
    console.show(
        f"{first.metric} on validation, policy less reference; {direction} is better",
        console.table(
            ("backbone", "policy", "reference", "difference", "95 % interval", "p (adjusted)"), [*_rows(results)]
        ),
        *notes,
        *(f"{target.backbone}: {_verdict(each)}" for target, each in results),
        f"runs: {path}",
    )


def _rows(results: Results) -> Any:
    for target, each in results:
        mean = sum(each.baseline) / len(each.baseline)
        for part in each.results:
            if part.effect is None:
                yield target.backbone, part.variant.name, mean, "failed", part.failure, "–"
                continue
            low, high = part.effect.low, part.effect.high
            interval = "–" if math.isnan(low) else f"{low:+.4f} to {high:+.4f}"
            p = p_value(part.effect.adjusted_p)
            yield target.backbone, part.variant.name, mean, f"{part.effect.mean:+.4f}", interval, p


def _verdict(ablation: Ablation) -> str:
    shown = [part for part in ablation.results if part.effect is not None and part.effect.verdict is not None]
    better = [part.variant.name for part in shown if part.effect is not None and part.effect.verdict == "helps"]
    if better:
        return f"carries over, {better[0]} is better than the reference"
    return "the reference is better" if shown else "no difference from the reference is shown"


def as_json(results: Results, path: Path) -> dict[str, Any]:
    """Convert the results to a JSON value."""
    return {
        "folder": str(path),
        "metric": results[0][1].metric,
        "higher_is_better": results[0][1].higher_is_better,
        "backbones": [_target_json(*result) for result in results],
    }


def _target_json(target: TransferTarget, ablation: Ablation) -> dict[str, Any]:
    return {
        "backbone": target.backbone,
        "seeds": list(ablation.seeds),
        "reference": list(ablation.baseline),
        "policy": [
            {"scale": part.variant.name.rpartition(" ")[2], "error": part.failure}
            if part.effect is None
            else {
                "scale": float(part.variant.name.rpartition(" ")[2]),
                "difference": part.effect.mean,
                "low": part.effect.low,
                "high": part.effect.high,
                "p": part.effect.p,
                "adjusted_p": part.effect.adjusted_p,
                "verdict": part.effect.verdict,
            }
            for part in ablation.results
        ],
        "notes": list(ablation.notes),
    }
