"""The rows of a comparison of recipes, a JSON line each, and the tables that are made of them."""

import functools
import json
import random
import statistics
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
KEY = ("set", "per_class", "size", "seed", "what")
"""What tells the rows of a file apart."""


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of a file; none where it is not there yet."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def revision() -> str:
    """The commit that is measured, with a + where files differ from it."""
    run = functools.partial(subprocess.run, cwd=ROOT, capture_output=True, text=True, check=True)
    short = run(["git", "rev-parse", "--short", "HEAD"]).stdout.strip()
    return short + "+" * bool(run(["git", "status", "--porcelain", "--", "ftaug"]).stdout.strip())


def report(rows: list[dict[str, Any]], reference: str) -> None:
    """Print what × set, and the differences of the reference to each, paired by set, size and seed.

    What was limited by --epochs or --seconds is compared with the reference under the same limit.
    """
    groups = sorted({(row["set"], row["per_class"], row["size"]) for row in rows}, key=str)
    values = {(*(row[key] for key in KEY),): row for row in rows}
    whats = list(dict.fromkeys(row["what"] for row in rows))
    names = [f"{name}, {per_class} a class" + (f", {size} px" if size else "") for name, per_class, size in groups]
    print(f"Test accuracy in %, mean ± sd (seeds)\n\n| | {' | '.join(names)} |\n|---|{'---|' * len(groups)}")
    for what in whats:
        cells = [described([100 * row["accuracy"] for row in matching(rows, group, what)]) for group in groups]
        print(f"| {what} | {' | '.join(cells)} |")
    print("\nSeconds of processor time of a run, all included (epochs), medians")
    print(f"\n| | {' | '.join(names)} |\n|---|{'---|' * len(groups)}")
    for what in whats:
        print(f"| {what} | {' | '.join(taken(matching(rows, group, what)) for group in groups)} |")
    print(f"\n{reference} − each, in points, with a 95 % bootstrap interval over pairs of the same set and seed")
    print(f"\n| | {' | '.join(names)} | all |\n|---|{'---|' * (len(groups) + 1)}")
    for what in whats:
        compared = f"{reference}@{what.partition('@')[2]}" if "@" in what and "@" not in reference else reference
        if what == compared:
            continue
        cells, everything = [], []
        for group in groups:
            pairs = [
                100 * (values[*group, row["seed"], compared]["accuracy"] - row["accuracy"])
                for row in matching(rows, group, what)
                if (*group, row["seed"], compared) in values
            ]
            everything += pairs
            cells.append(interval(pairs))
        print(f"| {what} | {' | '.join([*cells, interval(everything)])} |")


def matching(rows: list[dict[str, Any]], group: tuple[str, int, int], what: str) -> list[dict[str, Any]]:
    return [row for row in rows if (row["set"], row["per_class"], row["size"]) == group and row["what"] == what]


def described(values: list[float]) -> str:
    if not values:
        return ""
    spread = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.1f}{spread} ({len(values)})"


def taken(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return ""
    seconds, epochs = (statistics.median(row[key] for row in rows) for key in ("processor_seconds", "epochs"))
    return f"{seconds:.0f} ({epochs:g})"


def interval(values: list[float], draws: int = 10_000) -> str:
    """The mean and the 95 % interval of the mean of values drawn again."""
    if not values:
        return ""
    mean = statistics.mean(values)
    if len(values) == 1:
        return f"{mean:+.1f}"
    rng = random.Random(0)
    means = sorted(statistics.mean(rng.choices(values, k=len(values))) for _ in range(draws))
    return f"{mean:+.1f} [{means[int(0.025 * draws)]:+.1f}, {means[int(0.975 * draws)]:+.1f}]"
