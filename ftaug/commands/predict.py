"""`ftaug predict`: run inference on new samples with a trained model."""

from __future__ import annotations

import csv as csv_format
import io
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

from ftaug.engine.loading.prepare import modality_of
from ftaug.engine.system.storage import replace, storage_errors
from ftaug.errors import BadData
from ftaug.runs.open_run import open_run
from ftaug.runs.prediction import Prediction, predict
from ftaug.runs.report import console
from ftaug.runs.report.predictions import PredictionFormat, form

FAILURES_SHOWN = 20


Sink = Callable[[Prediction], object]
"""Consumer of predictions, called once per input."""


def run(
    *, run: Path, inputs: Sequence[str], top_k: int | None, as_json: bool, csv: Path | None, trust_plugins: bool
) -> None:
    """Predict and print each input as it arrives; raises BadData at the end if some could not be read."""
    opened = open_run(run, trust_plugins=trust_plugins)
    opened.note_precision()
    layout = form(opened.task, top_k)
    named_inputs = modality_of(opened.experiment).inputs(inputs, opened.experiment.data.train)
    predictions = predict(opened, named_inputs)
    first = list(islice(predictions, 1))  # fail on wrong names before anything is printed
    done, failures = 0, Failures()
    with ExitStack() as stack:
        sinks = [stack.enter_context(sink) for sink in _sinks(layout, as_json, csv)]
        for prediction in chain(first, predictions):
            for sink in sinks:
                sink(prediction)
            failures.see(prediction)
            done += 1
    failures.check(done)


@dataclass
class Failures:
    """Count the inputs that could not be read, and keep the first error messages."""

    count: int = 0
    shown: list[str] = field(default_factory=list)

    def see(self, prediction: Prediction) -> None:
        """Count a prediction that failed."""
        if prediction.error is not None:
            self.count += 1
            if self.count <= FAILURES_SHOWN:
                self.shown.append(f"{prediction.name}: {prediction.error}")

    def check(self, done: int) -> None:
        """Raise BadData if any input could not be read."""
        if self.count:
            rest = self.count - len(self.shown)
            more = [f"and {rest:,} more"] if rest else []
            error = BadData(f"{self.count:,} of {done:,} could not be read", *self.shown, *more)
            error.result_printed = True
            raise error


def _sinks(layout: PredictionFormat, as_json: bool, csv: Path | None) -> list[AbstractContextManager[Sink]]:
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
        plain = {"error": prediction.error} if prediction.answer is None else layout.plain(prediction.answer)
        print(start, textwrap.indent(console.to_json({"input": prediction.name, **plain}), "  "), sep="\n", end="")
        start = ","

    yield write
    print("[]" if start == "[" else "\n]")


@contextmanager
def _to_csv(layout: PredictionFormat, path: Path) -> Iterator[Sink]:
    """Write a CSV file at the end."""
    text = io.StringIO()
    writer = csv_format.writer(text, lineterminator="\n")
    writer.writerow(_headings(layout))
    yield lambda prediction: writer.writerow(
        f"{v:.{layout.digits}g}" if isinstance(v, float) else v for v in _row(layout, prediction)
    )
    with storage_errors(f"{path}: cannot be written"):
        replace(path.absolute(), text.getvalue().encode(errors="surrogateescape"))


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
    values = [""] * len(layout.headings) if prediction.answer is None else layout.cells(prediction.answer)
    return [prediction.name, *values, prediction.error or ""]
