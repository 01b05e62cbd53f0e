"""Print the choice between backbones."""

from __future__ import annotations

import math
from typing import Any

from ftaug.runs.backbone_choice.choose import BackboneChoice, BackboneResult
from ftaug.runs.report import console
from ftaug.runs.report.comparison import p_value
from ftaug.statistics.comparison import Difference


def show(choice: BackboneChoice) -> None:
    """Print the backbones, their differences from the best one, and which is chosen and why."""
    blocks: list[Any] = [
        f"{choice.metric} on {choice.samples:,} validation samples, by features of the pretrained layers",
        _quality(choice),
        _costs(choice),
        *(f"note: {note}" for note in choice.notes),
        _reason(choice),
        f"backbone: {choice.results[choice.chosen].candidate.setting}",
    ]
    console.show(*blocks)


def _quality(choice: BackboneChoice) -> Any:
    rows = []
    for index, result in enumerate(choice.results):
        difference = choice.differences.get(index)
        cells = ("best", "–") if difference is None else (_behind(difference), p_value(difference.adjusted_p))
        rows.append((result.candidate.setting, result.probe.value, result.neighbors.value, *cells))
    return console.table(("backbone", "linear probe", "k-NN", "from the best, 95 % interval", "p (Holm)"), rows)


def _costs(choice: BackboneChoice) -> Any:
    rows = [
        (result.candidate.setting, f"{result.cost.milliseconds:.2f}", f"{result.cost.megabytes:.1f}", _license(result))
        for result in choice.results
    ]
    return console.table(("backbone", "ms per sample", "MB", "license"), rows)


def _license(result: BackboneResult) -> str:
    if result.candidate.experiment.backbone.settings.get("weights") == "none":
        return "no pretrained weights"
    return result.cost.license or "unknown"


def _behind(difference: Difference) -> str:
    """Format the difference from the best one with its interval."""
    value = f"{-difference.value:+.4f}"
    if not difference.low < difference.high:
        return value
    return f"{value}, {-difference.high:+.4f} to {-difference.low:+.4f}"


def _reason(choice: BackboneChoice) -> str:
    names = [result.candidate.setting for result in choice.results]
    chosen, equal = names[choice.chosen], choice.equal
    if len(equal) == 1:
        return f"{chosen} is better than every other one"
    scope = "all" if len(equal) == len(names) else ", ".join(names[index] for index in equal)
    return f"no difference is shown between {scope}; {chosen} is the cheapest of them"


def as_json(choice: BackboneChoice) -> dict[str, Any]:
    """Convert the choice to a JSON value."""
    return {
        "metric": choice.metric,
        "samples": choice.samples,
        "backbones": [_backbone_json(choice, index) for index in range(len(choice.results))],
        "best": choice.results[choice.best].candidate.setting,
        "equal": [choice.results[index].candidate.setting for index in choice.equal],
        "chosen": choice.results[choice.chosen].candidate.setting,
        "notes": list(choice.notes),
    }


def _backbone_json(choice: BackboneChoice, index: int) -> dict[str, Any]:
    result, difference = choice.results[index], choice.differences.get(index)
    from_best = None
    if difference is not None:
        from_best = {
            "difference": -difference.value,
            "low": -difference.high if math.isfinite(difference.high) else None,
            "high": -difference.low if math.isfinite(difference.low) else None,
            "p": difference.p,
            "adjusted_p": difference.adjusted_p,
            "method": difference.method,
        }
    return {
        "backbone": result.candidate.setting,
        "linear_probe": result.probe.as_dict(),
        "nearest_neighbors": result.neighbors.as_dict(),
        "from_best": from_best,
        "milliseconds_per_sample": result.cost.milliseconds,
        "megabytes": result.cost.megabytes,
        "license": result.cost.license,
    }
