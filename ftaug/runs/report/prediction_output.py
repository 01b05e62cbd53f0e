"""Write predictions: as JSON or a table on stdout, or as a CSV file."""

from __future__ import annotations

import csv as csv_format
import io
import textwrap
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from ftaug.engine.system.storage import replace, storage_errors
from ftaug.errors import StorageError
from ftaug.runs.prediction import Prediction
from ftaug.runs.report import console
from ftaug.runs.report.predictions import PredictionFormat

Sink = Callable[[Prediction], object]
"""Consumer of predictions, called once per input."""


def open_sinks(layout: PredictionFormat, as_json: bool, csv: Path | None) -> list[AbstractContextManager[Sink]]:
    """Open the outputs of the predictions: a file, stdout, or both."""
    to_file = [] if csv is None else [_to_csv(layout, csv)]
    on_stdout = _to_json(layout) if as_json else _to_table(layout) if csv is None else _to_path(csv)
    return [*to_file, on_stdout]


@contextmanager
def _to_json(layout: PredictionFormat) -> Iterator[Sink]:
    """Stream a JSON list to stdout."""
    start = "["

    def write(prediction: Prediction) -> None:
        nonlocal start
        plain = {"error": prediction.error} if prediction.output is None else layout.plain(prediction)
        print(start, textwrap.indent(console.to_json({"input": prediction.name, **plain}), "  "), sep="\n", end="")
        start = ","

    yield write
    print("[]" if start == "[" else "\n]")


@contextmanager
def _to_csv(layout: PredictionFormat, path: Path) -> Iterator[Sink]:
    """Write a CSV file at the end."""
    if path.is_dir():
        raise StorageError(f"{path}: cannot be written: it is a folder; name a file")
    text = io.StringIO()
    writer = csv_format.writer(text, lineterminator="\n")
    writer.writerow(_headings(layout))
    yield lambda prediction: writer.writerow(
        f"{v:.{layout.digits}g}" if isinstance(v, float) else v for v in _row(layout, prediction)
    )
    with storage_errors(f"{path}: cannot be written"):
        replace(path, text.getvalue().encode(errors="surrogateescape"))


@contextmanager
def _to_path(path: Path) -> Iterator[Sink]:
    """Print the path of the CSV file instead of the predictions."""
    yield lambda prediction: None
    print(path)


@contextmanager
def _to_table(layout: PredictionFormat) -> Iterator[Sink]:
    """Print a human-readable table, with a column of errors if there are any."""
    predictions: list[Prediction] = []
    yield predictions.append
    shown = None if any(prediction.error for prediction in predictions) else -1
    console.show(
        console.table(_headings(layout)[:shown], (_row(layout, prediction)[:shown] for prediction in predictions))
    )


def _headings(layout: PredictionFormat) -> list[str]:
    """Columns of the table and of the CSV file."""
    return ["input", *layout.headings, "error"]


def _row(layout: PredictionFormat, prediction: Prediction) -> list[str | float]:
    """Format a row: the name of the input, its prediction, and its error, if any."""
    values = [""] * len(layout.headings) if prediction.output is None else layout.cells(prediction)
    return [prediction.name, *values, prediction.error or ""]
