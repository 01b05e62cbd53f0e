"""Write predictions to a file one by one: CSV, JSON Lines or Parquet."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np

from ftaug.config.strict_json import dumps
from ftaug.engine.system.storage import storage_errors, temporary_name
from ftaug.errors import ExperimentError, StorageError, one_of
from ftaug.runs.parquet_records import CHUNK, library
from ftaug.runs.prediction import Prediction
from ftaug.runs.report.predictions import FEATURES, Cell, PredictionFormat, feature_texts

Sink = Callable[[Prediction], object]
"""Consumer of predictions, called once per input."""


def open_file(layout: PredictionFormat, path: Path) -> AbstractContextManager[Sink]:
    """Open a file for predictions in the format of its suffix; raises ExperimentError for another suffix."""
    writers = {".csv": to_csv, ".jsonl": _to_jsonl, ".parquet": _to_parquet}
    if path.suffix.lower() not in writers:
        raise ExperimentError(f"--output must end in {one_of([*writers])}; got {path.name}")
    return writers[path.suffix.lower()](layout, path)


@contextmanager
def to_csv(layout: PredictionFormat, path: Path) -> Iterator[Sink]:
    """Write a CSV file; features have a column each, named after the first prediction that has some."""
    names, waiting, values = headings(layout), list[list[Cell]](), 0
    with _replacing(path) as file:
        text = io.TextIOWrapper(file, "utf-8", errors="surrogateescape", newline="", write_through=True)
        writer = csv.writer(text, lineterminator="\n")
        is_open = FEATURES not in names

        def write_rows() -> None:
            with _writing(path):
                writer.writerows(_csv_cells(cells, names, values, layout.digits) for cells in waiting)
            waiting.clear()

        def write(prediction: Prediction) -> None:
            nonlocal is_open, values
            waiting.append(row(layout, prediction))
            if not is_open and prediction.features is not None:
                is_open, values = True, len(prediction.features)
            if is_open:
                write_rows()

        waiting.append([*names])
        yield write
        write_rows()
        text.detach()


def _csv_cells(cells: Sequence[Cell], names: Sequence[str], values: int, digits: int) -> Iterator[str]:
    """Yield the cells of a row, the header too, with a cell for each of the features."""
    for name, cell in zip(names, cells, strict=True):
        if isinstance(cell, np.ndarray):
            yield from feature_texts(cell)
        elif name == FEATURES:
            yield from (f"feature_{number}" if cell else "" for number in range(values))
        else:
            yield f"{cell:.{digits}g}" if isinstance(cell, float) else cell


@contextmanager
def _to_jsonl(layout: PredictionFormat, path: Path) -> Iterator[Sink]:
    """Write a file of JSON Lines."""
    with _replacing(path) as file:

        def write(prediction: Prediction) -> None:
            with _writing(path):
                file.write((dumps(plain(layout, prediction)) + "\n").encode(errors="surrogateescape"))

        yield write


@contextmanager
def _to_parquet(layout: PredictionFormat, path: Path) -> Iterator[Sink]:
    """Write a Parquet file: texts and numbers, null where an input could not be read."""
    arrow = library("predictions as Parquet")
    names, rows = headings(layout), list[list[Cell]]()
    with _replacing(path) as file:
        writer: Any = None

        def write_rows() -> None:
            nonlocal writer
            with _writing(path):
                if writer is None:
                    kinds = [_kind(arrow, [cells[place] for cells in rows]) for place in range(len(names))]
                    schema = arrow.schema([*zip(names, kinds, strict=True)])
                    writer = arrow.parquet.ParquetWriter(file, schema)
                columns = [[_cell(value) for value in column] for column in zip(*rows, strict=True)]
                if rows:
                    writer.write_table(arrow.table(columns, schema=writer.schema))
            rows.clear()

        def write(prediction: Prediction) -> None:
            rows.append(row(layout, prediction))
            if len(rows) >= CHUNK and (writer is not None or prediction.error is None):
                write_rows()

        yield write
        write_rows()
        writer.close()


def _kind(arrow: Any, values: list[Cell]) -> Any:
    if any(isinstance(value, np.ndarray) for value in values):
        return arrow.list_(arrow.float32())
    return arrow.float64() if any(isinstance(value, float) for value in values) else arrow.string()


def _cell(value: Cell) -> Cell | None:
    """Return a value for Parquet: null for nothing, and text without bytes that are not UTF-8."""
    if not isinstance(value, str):
        return value
    return value.encode(errors="surrogateescape").decode(errors="replace") or None


def headings(layout: PredictionFormat) -> list[str]:
    """Return the columns of a table of predictions."""
    return ["input", *layout.headings, "error"]


def row(layout: PredictionFormat, prediction: Prediction) -> list[Cell]:
    """Return a row: the name of the input, its prediction, and its error, if any."""
    values = [""] * len(layout.headings) if prediction.output is None else layout.cells(prediction)
    return [prediction.name, *values, prediction.error or ""]


def plain(layout: PredictionFormat, prediction: Prediction) -> dict[str, Any]:
    """Return a prediction, or its error, as a JSON value."""
    content = {"error": prediction.error} if prediction.output is None else layout.plain(prediction)
    return {"input": prediction.name, **content}


def _writing(path: Path) -> AbstractContextManager[None]:
    return storage_errors(f"{path}: cannot be written")


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a temporary file that replaces the path at the end, unless there is an error."""
    if path.is_dir():
        raise StorageError(f"{path}: cannot be written: it is a folder; name a file")
    temporary = temporary_name(path)
    with _writing(path):
        file = temporary.open("wb")
    try:
        yield file
        with _writing(path):
            file.flush()
            os.fsync(file.fileno())
            file.close()
            temporary.replace(path)
    finally:
        with suppress(OSError):  # of a full disk, which an error reports already
            file.close()
        temporary.unlink(missing_ok=True)
