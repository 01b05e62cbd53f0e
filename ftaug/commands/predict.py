"""`ftaug predict`: the likeliest classes of files, or their numbers."""

from __future__ import annotations

import csv as csv_format
import io
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from ftaug.engine.batches import usable_cores
from ftaug.engine.setup import evaluated, modality_of
from ftaug.engine.storage import replace, storage_errors
from ftaug.errors import BadData, ExperimentError, FtaugError, MissingInput, Problem, one_of
from ftaug.interfaces import Task
from ftaug.runs import output
from ftaug.runs.opened import OpenRun, open_run


@dataclass(frozen=True)
class Prediction:
    """The likeliest classes of a file, likeliest first, or its numbers, or why there are none."""

    path: str
    classes: tuple[tuple[str, float], ...] = ()
    error: str | None = None


def run(*, run: Path, inputs: Sequence[str], top_k: int, as_json: bool, csv: Path | None, trust_plugins: bool) -> None:
    """Print the likeliest classes of each file; raises BadData at the end if some could not be read."""
    opened = open_run(run, trust_plugins=trust_plugins)
    files = list(find(inputs, modality_of(opened.experiment).suffixes))
    if opened.task.regression and top_k != 1:
        raise ExperimentError(f"--top-k {top_k}: ranks classes, and this run tells numbers; leave it out")
    ranks = min(top_k, len(opened.task.classes))
    predictions = list(predict(opened, files, ranks))
    columns = headings(ranks, opened.task)
    if csv is not None:
        with storage_errors(f"{csv}: cannot be written"):
            replace(csv.absolute(), _csv(predictions, columns, opened.task))
    if as_json:
        print(output.to_json([_as_json(one, opened.task) for one in predictions]))
    elif csv is None:
        output.show(table(predictions, columns, opened.task))
    else:
        print(csv)
    if failed := [one for one in predictions if one.error]:
        raise BadData(
            f"{len(failed)} of {len(predictions)} could not be read", *(f"{p.path}: {p.error}" for p in failed)
        )


def find(inputs: Sequence[str], suffixes: Sequence[bytes]) -> Iterator[str]:
    """The files named and those in the folders named, in the order of their names; raises MissingInput."""
    missing: list[Problem | str] = [f"{name}: no such file or folder" for name in inputs if not Path(name).exists()]
    if missing:
        raise MissingInput(*missing)
    for name in inputs:
        found = list(_walk(Path(name), suffixes)) if Path(name).is_dir() else [name]
        if not found:
            raise MissingInput(f"{name}: holds no {one_of([suffix.decode() for suffix in suffixes])}")
        yield from found


def _walk(folder: Path, suffixes: Sequence[bytes]) -> Iterator[str]:
    """The files below a folder that have one of the suffixes; what is hidden is left out."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and os.fsencode(name).lower().endswith(tuple(suffixes)):
                yield str(Path(root, name))


def predict(opened: OpenRun, files: Sequence[str], ranks: int) -> Iterator[Prediction]:
    """Predict file by file, a batch at a time; a file that cannot be read yields its error."""
    verbs = modality_of(opened.experiment)
    pipeline = verbs.pipeline((), evaluated(opened.experiment, opened.preprocessing))

    def prepared(path: str) -> np.ndarray | FtaugError:
        try:
            return verbs.prepare(Path(path).read_bytes(), pipeline, None)
        except OSError as error:
            return MissingInput(f"cannot be read: {error.strerror}")
        except FtaugError as error:
            return error

    with ThreadPoolExecutor(usable_cores()) as pool:
        for start in range(0, len(files), opened.batch_size):
            chunk = files[start : start + opened.batch_size]
            ready = list(pool.map(prepared, chunk))
            good = [one for one in ready if not isinstance(one, FtaugError)]
            answers = iter(opened.answer(verbs.collate(good), len(good)) if good else ())
            for path, one in zip(chunk, ready, strict=True):
                if isinstance(one, FtaugError):
                    yield Prediction(path, error=str(one))
                else:
                    yield Prediction(path, likeliest(next(answers), opened.task, ranks))


def likeliest(probabilities: np.ndarray, task: Task, ranks: int) -> tuple[tuple[str, float], ...]:
    """The classes with the highest probabilities, highest first; in regression every number with its value."""
    if task.regression:
        return tuple(zip(task.classes, map(float, probabilities), strict=True))
    order = np.argsort(-probabilities, kind="stable")[:ranks]
    return tuple((task.classes[i], float(probabilities[i])) for i in order)


def _as_json(prediction: Prediction, task: Task) -> dict[str, Any]:
    if prediction.error:
        return {"input": prediction.path, "error": prediction.error}
    if task.regression:
        return {"input": prediction.path, "numbers": dict(prediction.classes)}
    classes = [{"class": name, "probability": probability} for name, probability in prediction.classes]
    return {"input": prediction.path, "predictions": classes}


def headings(ranks: int, task: Task) -> list[str]:
    """The columns of the table and of the CSV file."""
    if task.regression:
        return ["input", *task.classes, "error"]
    pairs = [f"{name}_{rank}" for rank in range(1, ranks + 1) for name in ("class", "probability")]
    return ["input", *(pairs if ranks > 1 else ["class", "probability"]), "error"]


def row(prediction: Prediction, columns: Sequence[str], task: Task) -> list[Any]:
    """The file's path, its classes with their probabilities or its numbers, and the error where there is one."""
    values = [value for pair in prediction.classes for value in (pair[1:] if task.regression else pair)]
    return [prediction.path, *values, *[""] * (len(columns) - 2 - len(values)), prediction.error or ""]


def table(predictions: Sequence[Prediction], columns: Sequence[str], task: Task) -> Table:
    """The predictions for a person; without the column of errors where there is none."""
    shown = None if any(one.error for one in predictions) else -1
    return output.table(columns[:shown], (row(one, columns, task)[:shown] for one in predictions))


def _csv(predictions: Sequence[Prediction], columns: Sequence[str], task: Task) -> bytes:
    text = io.StringIO()
    writer = csv_format.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for one in predictions:
        values = row(one, columns, task)
        writer.writerow([f"{value:.6g}" if isinstance(value, float) else value for value in values])
    return text.getvalue().encode(errors="surrogateescape")
