"""Write explanations to a file, and describe them as a table and as JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from ftaug.engine.loading.prepare import modality_of
from ftaug.engine.system import storage
from ftaug.interfaces.explanation import Explanation
from ftaug.runs.report import console

if TYPE_CHECKING:
    from ftaug.runs.explanation.method_choice import MethodChoice
    from ftaug.runs.trained_model import TrainedModel


def write(explanations: Sequence[Explanation], choice: MethodChoice, opened: TrainedModel, output: Path) -> None:
    """Write a .json file, or a file of the modality that shows the explanations."""
    if output.suffix.lower() == ".json":
        content = f"{console.to_json(as_json(explanations, choice))}\n".encode()
    else:
        title = f"{opened.experiment.name}: what predictions depend on"
        render = modality_of(opened.experiment).explanation.render
        content = render(explanations, title, opened.preprocessing, output.suffix.lower())
    with storage.storage_errors(f"{output}: cannot be written"):
        output.parent.mkdir(parents=True, exist_ok=True)
        storage.replace(output, content)


def as_json(explanations: Sequence[Explanation], choice: MethodChoice) -> dict[str, Any]:
    """Return the explanations and the checks of the methods as JSON values."""
    return {
        "method": choice.method.name,
        "checks": [vars(check) for check in choice.checks],
        "explanations": [explanation.facts for explanation in explanations],
    }


def table(explanations: Sequence[Explanation]) -> Table:
    """Build the table of predictions and what of them is explained."""
    errors = [each.attribution.figures.get("completeness_error") for each in explanations]
    has_errors = any(error is not None for error in errors)
    headings = ("input", "predicted", "explained", *(["completeness error"] if has_errors else []))
    rows = [
        (
            each.name,
            each.prediction.removeprefix("predicted "),
            each.output,
            *([f"{error:.1%}" if error is not None else "–"] if has_errors else []),
        )
        for each, error in zip(explanations, errors, strict=True)
    ]
    return console.table(headings, rows)
