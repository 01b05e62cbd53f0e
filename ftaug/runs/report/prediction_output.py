"""Write predictions: as JSON or a table on stdout, or to files."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from ftaug.runs.prediction import Prediction
from ftaug.runs.report import console
from ftaug.runs.report.prediction_files import Sink, headings, open_file, plain, row, to_csv
from ftaug.runs.report.predictions import PredictionFormat


def open_sinks(
    layout: PredictionFormat, as_json: bool, csv: Path | None, output: Path | None = None
) -> list[AbstractContextManager[Sink]]:
    """Open the outputs of the predictions: files, stdout, or both."""
    files = [*([to_csv(layout, csv)] if csv is not None else []), *([open_file(layout, output)] if output else [])]
    path = output or csv
    on_stdout = _to_json(layout) if as_json else _to_table(layout) if path is None else _to_path(path)
    return [*files, on_stdout]


@contextmanager
def _to_json(layout: PredictionFormat) -> Iterator[Sink]:
    """Stream a JSON list to stdout."""
    start = "["

    def write(prediction: Prediction) -> None:
        nonlocal start
        print(start, textwrap.indent(console.to_json(plain(layout, prediction)), "  "), sep="\n", end="")
        start = ","

    yield write
    print("[]" if start == "[" else "\n]")


@contextmanager
def _to_path(path: Path) -> Iterator[Sink]:
    """Print the path of the file instead of the predictions."""
    yield lambda prediction: None
    print(path)


@contextmanager
def _to_table(layout: PredictionFormat) -> Iterator[Sink]:
    """Print a human-readable table, with a column of errors if there are any."""
    predictions: list[Prediction] = []
    yield predictions.append
    shown = None if any(prediction.error for prediction in predictions) else -1
    console.show(
        console.table(headings(layout)[:shown], (row(layout, prediction)[:shown] for prediction in predictions))
    )
