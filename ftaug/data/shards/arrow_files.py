"""Find samples in Arrow files, as Hugging Face's `save_to_disk` writes them, by their offsets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.data import names
from ftaug.data.shards.parquet_files import Chunk, bytes_of
from ftaug.errors import BadData, MissingInput, first_line, missing_extra

_STATE, _SPLITS = "state.json", "dataset_dict.json"


def is_on_disk(folder: Path) -> bool:
    """Whether `save_to_disk` wrote the folder."""
    return (folder / _SPLITS).is_file() or (folder / _STATE).is_file()


def splits_on_disk(folder: Path) -> set[str]:
    """Return the splits of a dataset by their canonical names; none for a dataset without splits. Raises BadData."""
    there = _read_json(folder / _SPLITS).get("splits", []) if (folder / _SPLITS).is_file() else []
    return {names.split_name(str(name)) for name in there}


def files_on_disk(split: str, folder: Path) -> list[Path]:
    """Return the Arrow files of a dataset in their order; of several splits, that of the split.

    Raises MissingInput for a folder without a dataset, BadData for a damaged one or one without the split.
    """
    if (folder / _SPLITS).is_file():
        there = _read_json(folder / _SPLITS).get("splits", [])
        selected = [name for name in there if names.split_name(str(name)) == split]
        if not selected:
            raise BadData(f"{folder} has no split '{split}'; there is {', '.join(map(str, there)) or 'none'}")
        folder = folder / str(selected[0])
    if not (folder / _STATE).is_file():
        raise MissingInput(f"{folder} holds no dataset of save_to_disk: {_STATE} is missing")
    state = _read_json(folder / _STATE)
    if state.get("_indices_data_files"):
        raise BadData(f"{folder}: the rows are selected by an index; call flatten_indices() before save_to_disk")
    try:
        files = [folder / Path(entry["filename"]).name for entry in state["_data_files"]]
    except (KeyError, TypeError):
        raise BadData(f"{folder / _STATE}: does not list the files of the dataset") from None
    if missing := [file.name for file in files if not file.is_file()]:
        raise MissingInput(f"{folder}: {missing[0]} is missing")
    return files


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise BadData(f"{path}: cannot be read: {first_line(error)}") from None
    return value if isinstance(value, dict) else {}


def arrow_schema(path: Path) -> Any:
    """Return the schema of an Arrow file; raises BadData."""
    with _opened(path) as (reader, _):
        return reader.schema


def arrow_chunks(path: Path, columns: Sequence[str]) -> Iterator[Chunk]:
    """Yield the rows of an Arrow file, a record batch at a time; `columns` begin with that of the samples.

    The offsets are those of the samples' bytes in the file. Raises BadData.
    """
    with _opened(path) as (reader, content):
        for number, batch in enumerate(reader):
            arrays = {name: batch.column(batch.schema.get_field_index(name)) for name in columns}
            yield Chunk(number, 0, arrays, _offsets(path, content, bytes_of(arrays[columns[0]])))


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """Open an Arrow stream; yield its reader and the memory-mapped content of the file."""
    try:
        import pyarrow
    except ImportError:
        raise missing_extra(f"reading {path.name}", "pyarrow", "parquet") from None
    try:
        with pyarrow.memory_map(str(path)) as file:
            content = file.read_buffer()
            yield pyarrow.ipc.open_stream(pyarrow.BufferReader(content)), content
    except (pyarrow.ArrowException, OSError) as error:
        if getattr(error, "errno", None) is not None:
            raise
        raise BadData(f"{path}: is not an Arrow stream, or is damaged: {first_line(error)}") from None


def _offsets(path: Path, content: Any, values: Any) -> np.ndarray:
    """Return the offset in the file of each value of a binary or string array."""
    import pyarrow

    is_large = pyarrow.types.is_large_binary(values.type) or pyarrow.types.is_large_string(values.type)
    _, ends, data = values.buffers()
    start = 0 if data is None else data.address - content.address
    if not 0 <= start <= content.size:
        raise BadData(f"{path}: is compressed, and cannot be read at offsets; save the dataset without compression")
    places = np.frombuffer(ends, np.int64 if is_large else np.int32)[values.offset : values.offset + len(values)]
    return places.astype(np.int64) + start
