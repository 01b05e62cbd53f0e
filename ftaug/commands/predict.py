"""`ftaug predict`: what a trained model says of new samples."""

from __future__ import annotations

import csv as csv_format
import io
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

import numpy as np

from ftaug.engine.loading.prepare import evaluated, modality_of
from ftaug.engine.system.cpu_count import usable_cores
from ftaug.engine.system.storage import replace, storage_errors
from ftaug.errors import BadData, FtaugError
from ftaug.interfaces.data import Input
from ftaug.runs.open_run import open_run
from ftaug.runs.report import console
from ftaug.runs.report.predictions import PredictionFormat, form
from ftaug.runs.trained_model import TrainedModel

FAILURES_SHOWN = 20


@dataclass(frozen=True)
class Prediction:
    """What the model says of a sample, or why it says nothing."""

    name: str
    answer: np.ndarray | None = None
    error: str | None = None


Sink = Callable[[Prediction], object]
"""Where predictions go, one by one."""


def run(
    *, run: Path, inputs: Sequence[str], top_k: int | None, as_json: bool, csv: Path | None, trust_plugins: bool
) -> None:
    """Print what the model says of each sample as it comes; raises BadData at the end if some could not be read."""
    opened = open_run(run, trust_plugins=trust_plugins)
    opened.note_precision()
    told = form(opened.task, top_k)
    named = modality_of(opened.experiment).inputs(inputs, opened.experiment.data.train)
    predictions = predict(opened, named)
    first = list(islice(predictions, 1))  # what is named wrongly is an error before anything is printed
    done, failures = 0, Failures()
    with ExitStack() as stack:
        sinks = [stack.enter_context(sink) for sink in _sinks(told, as_json, csv)]
        for one in chain(first, predictions):
            for sink in sinks:
                sink(one)
            failures.see(one)
            done += 1
    failures.check(done)


@dataclass
class Failures:
    """The inputs that could not be read: some of them, and how many there are."""

    count: int = 0
    shown: list[str] = field(default_factory=list)

    def see(self, one: Prediction) -> None:
        """Note a prediction that is none."""
        if one.error is not None:
            self.count += 1
            if self.count <= FAILURES_SHOWN:
                self.shown.append(f"{one.name}: {one.error}")

    def check(self, done: int) -> None:
        """Raise BadData if there are any."""
        if self.count:
            rest = self.count - len(self.shown)
            more = [f"and {rest:,} more"] if rest else []
            error = BadData(f"{self.count:,} of {done:,} could not be read", *self.shown, *more)
            error.result_printed = True
            raise error


def predict(opened: TrainedModel, inputs: Iterable[Input]) -> Iterator[Prediction]:
    """Predict a batch at a time, so that inputs without an end do; one that cannot be read yields its error."""
    verbs = modality_of(opened.experiment)
    pipeline = verbs.pipeline((), evaluated(opened.experiment, opened.preprocessing))

    def prepared(one: Input) -> np.ndarray | FtaugError:
        try:
            return verbs.prepare(one.read(), pipeline, None)
        except FtaugError as error:
            return error

    waiting = iter(inputs)
    with ThreadPoolExecutor(usable_cores()) as pool:
        while chunk := list(islice(waiting, opened.batch_size)):
            ready = list(pool.map(prepared, chunk))
            good = [one for one in ready if not isinstance(one, FtaugError)]
            answers = iter(opened.answer(verbs.collate(good), len(good)) if good else ())
            for one, found in zip(chunk, ready, strict=True):
                if isinstance(found, FtaugError):
                    yield Prediction(one.name, error=str(found))
                else:
                    yield Prediction(one.name, next(answers))


def _sinks(told: PredictionFormat, as_json: bool, csv: Path | None) -> list[AbstractContextManager[Sink]]:
    """Where the predictions go: to a file, to stdout, or both."""
    to_file = [] if csv is None else [_to_csv(told, csv)]
    on_stdout = _to_json(told) if as_json else _to_table(told) if csv is None else _to_path(csv)
    return [*to_file, on_stdout]


@contextmanager
def _to_json(told: PredictionFormat) -> Iterator[Sink]:
    """A list on stdout that is printed as it grows."""
    start = "["

    def write(one: Prediction) -> None:
        nonlocal start
        plain = {"error": one.error} if one.answer is None else told.plain(one.answer)
        print(start, textwrap.indent(console.to_json({"input": one.name, **plain}), "  "), sep="\n", end="")
        start = ","

    yield write
    print("[]" if start == "[" else "\n]")


@contextmanager
def _to_csv(told: PredictionFormat, path: Path) -> Iterator[Sink]:
    """A file, written at the end."""
    text = io.StringIO()
    writer = csv_format.writer(text, lineterminator="\n")
    writer.writerow(_headings(told))
    yield lambda one: writer.writerow(f"{v:.{told.digits}g}" if isinstance(v, float) else v for v in _row(told, one))
    with storage_errors(f"{path}: cannot be written"):
        replace(path.absolute(), text.getvalue().encode(errors="surrogateescape"))


@contextmanager
def _to_path(path: Path) -> Iterator[Sink]:
    """The path of what was written, in place of predictions."""
    yield lambda one: None
    print(path)


@contextmanager
def _to_table(told: PredictionFormat) -> Iterator[Sink]:
    """A table for a person, without the column of errors where there is none."""
    found: list[Prediction] = []
    yield found.append
    shown = None if any(one.error for one in found) else -1
    console.show(console.table(_headings(told)[:shown], (_row(told, one)[:shown] for one in found)))


def _headings(told: PredictionFormat) -> list[str]:
    """The columns of the table and of the CSV file."""
    return ["input", *told.headings, "error"]


def _row(told: PredictionFormat, one: Prediction) -> list[str | float]:
    """The name of the input, what the model says of it, and the error where there is one."""
    values = [""] * len(told.headings) if one.answer is None else told.cells(one.answer)
    return [one.name, *values, one.error or ""]
