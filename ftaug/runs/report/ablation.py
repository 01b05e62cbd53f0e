"""Print and plot the effects of the parts of an experiment."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from ftaug.runs.ablation.ablate import Ablation, VariantResult
from ftaug.runs.ablation.effects import Effect
from ftaug.runs.report import console
from ftaug.runs.report.comparison import p_value
from ftaug.runs.report.plot_style import GRAY, GREEN, NEUTRAL, VERMILION, label, new_figure, styled, write_figure

PLOT_FILE = "ablation.png"


def show(ablation: Ablation, plot: Path) -> None:
    """Print the table of effects, the most helpful part first."""
    seeds = len(ablation.seeds)
    direction = "higher" if ablation.higher_is_better else "lower"
    mean = sum(ablation.baseline) / seeds
    console.show(
        f"{ablation.metric} on validation: {mean:.4f}, mean of {seeds} seed{'s' * (seeds > 1)}; {direction} is better",
        _table(ablation),
        *(f"{each.variant.name} failed: {each.failure}" for each in ablation.results if each.effect is None),
        *(f"note: {note}" for note in ablation.notes),
        _verdict(ablation),
        f"plot: {plot}",
    )


def _table(ablation: Ablation) -> Any:
    rows = [
        (each.variant.name, each.variant.change, *_cells(each.effect))
        for each in ablation.results
        if each.effect is not None
    ]
    return console.table(("part", "change", "effect", "95 % interval", "p (adjusted)", "verdict"), rows)


def _cells(effect: Effect) -> tuple[str, ...]:
    interval = f"{effect.low:+.4f} to {effect.high:+.4f}" if not math.isnan(effect.low) else "–"
    return f"{effect.mean:+.4f}", interval, p_value(effect.adjusted_p), effect.verdict or "–"


def _verdict(ablation: Ablation) -> str:
    by_verdict = {
        verdict: [each.variant.name for each in ablation.results if each.effect and each.effect.verdict == verdict]
        for verdict in ("helps", "hurts")
    }
    texts = [f"{verdict}: {', '.join(names)}" for verdict, names in by_verdict.items() if names]
    return "; ".join(texts) or "no effect is shown"


@styled
def plot(ablation: Ablation, path: Path) -> Path:
    """Plot the effect of each part with its interval, and the difference of each seed as a dot."""
    results = [each for each in ablation.results if each.effect is not None]
    names = [each.variant.name if each.variant.change == "removed" else f"+ {each.variant.name}" for each in results]
    figure = new_figure(width=7.5, height=1.5 + 0.36 * max(len(results), 1))
    axes = figure.subplots()
    for position, each in enumerate(results):
        effect = each.effect
        assert effect is not None
        color = {"helps": GREEN, "hurts": VERMILION, None: GRAY}[effect.verdict]
        axes.plot(effect.values, [position] * len(effect.values), "|", color=color, alpha=0.6, markersize=7)
        axes.plot([effect.low, effect.high], [position, position], color=color, linewidth=2.0)
        axes.plot([effect.mean], [position], "o", color=color, markersize=6)
    axes.axvline(0.0, color=NEUTRAL, linestyle=":")
    axes.set_yticks(range(len(names)), [label(name) for name in names])
    axes.set(ylim=(max(len(names), 1) - 0.5, -0.5), title="effect of each part, with 95 % interval")
    better = "right" if ablation.higher_is_better else "left"
    axes.set_xlabel(f"difference in {label(ablation.metric)}: {better} of 0, the part helps")
    axes.grid(visible=False, axis="y")
    return write_figure(figure, path)


def as_json(ablation: Ablation, plot: Path) -> dict[str, Any]:
    """Convert an ablation to a JSON value."""
    return {
        "folder": str(ablation.folder),
        "metric": ablation.metric,
        "higher_is_better": ablation.higher_is_better,
        "seeds": list(ablation.seeds),
        "baseline": list(ablation.baseline),
        "parts": [_part_json(each) for each in ablation.results],
        "notes": list(ablation.notes),
        "plot": str(plot),
    }


def _part_json(result: VariantResult) -> dict[str, Any]:
    variant, effect = result.variant, result.effect
    facts = {"part": variant.name, "change": variant.change, "overrides": list(variant.overrides)}
    if effect is None:
        return {**facts, "error": result.failure}
    return {
        **facts,
        "effect": effect.mean,
        "low": effect.low,
        "high": effect.high,
        "p": effect.p,
        "adjusted_p": effect.adjusted_p,
        "verdict": effect.verdict,
        "by_seed": list(effect.values),
    }
