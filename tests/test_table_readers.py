"""Whatever reads a user's table leaves nothing out in silence; a new component with a path has to say what it reads."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, get_args

import pytest

from ftaug.audio.datasets.table import audio_table
from ftaug.config.registry import REGISTRIES
from ftaug.config.shapes import function_shape
from ftaug.data.tables.infer_columns import look
from ftaug.errors import BadData
from ftaug.experiment_file import MODALITIES, import_components
from ftaug.image.datasets.table import image_table
from ftaug.text.augmentations import paraphrases, sources
from ftaug.text.augmentations.tables import table
from ftaug.text.datasets.table import text_table
from ftaug.text.predict_inputs import Inputs

for modality in MODALITIES:
    import_components(modality)


class Reader(NamedTuple):
    """How something reads a table of two columns, and what it finds in one of them."""

    columns: tuple[str, str]
    read: Callable[[Path], list[str]]
    first: bool = True  # whether it is the first column's cells


def of_text_table(path):
    samples = text_table("train", path=path)
    return [samples.read(i).first for i in range(len(samples))]


def of_image_table(path):
    for name in (ODD, PLAIN):
        (path.parent / name).touch()
    samples = image_table("train", path=path)
    return [samples.name(i).rpartition("/")[2] for i in range(len(samples))]


def of_audio_table(path):
    for name in (ODD, PLAIN):
        (path.parent / name).touch()
    samples = audio_table("train", path=path)
    return [samples.name(i).rpartition("/")[2] for i in range(len(samples))]


def of_synonyms(path):
    return [other for others in table(path, sources.KEY, sources.VALUES).values() for other in others]


def of_paraphrases(path):
    return [other for others in table(path, paraphrases.KEY, paraphrases.VALUES).values() for other in others]


def of_predict(path):
    texts = []
    for one in Inputs().of([str(path)]):
        try:
            texts.append(one.read().first)
        except BadData as error:
            raise BadData(f"{one.name}: {error}") from None  # as the command prints it
    return texts


SYNONYMS = Reader((sources.KEY, sources.VALUES), of_synonyms, first=False)
COMPONENTS = {
    "dataset-text_table.path": Reader(("text", "label"), of_text_table),
    "dataset-image_table.path": Reader(("path", "label"), of_image_table),
    "dataset-audio_table.path": Reader(("path", "label"), of_audio_table),
    "augmentation-synonyms.from": SYNONYMS,
    "augmentation-insert.from": SYNONYMS,
    "augmentation-paraphrases.from": Reader((paraphrases.KEY, paraphrases.VALUES), of_paraphrases, first=False),
}
COMMANDS = {
    "predict": Reader(("text", "label"), of_predict),
    "init": Reader(("text", "label"), lambda path: [*look(path)["text"]]),
}
SHARDS = ("image_shards", "text_shards", "audio_shards")
PARQUET = ("image_parquet", "text_parquet", "audio_parquet")
NO_TABLES = {
    *("dataset-image_table.root", "dataset-audio_table.root", "augmentation-background.path"),
    *(f"dataset-{name}.path" for name in (*SHARDS, *PARQUET, "hf_disk")),
    *("method-lora.weights", "method-ssf.weights", "objective-feature_distillation.teacher"),
}
"""Settings that name folders, archives, runs and weights, beside those of datasets without a table."""


def names_a_path(annotation) -> bool:
    return annotation is Path or any(map(names_a_path, get_args(annotation)))


def test_every_component_with_a_path_is_known_to_read_a_table_or_none():
    paths = set()
    for registry in REGISTRIES.values():
        for name in [*registry.own, *(f"{prefix}resnet18" for prefix in registry.prefixes)]:
            function = registry[name].function
            if not function.__module__.startswith("ftaug."):  # of a plugin that another test has imported
                continue
            annotations = function_shape(function, name).annotations
            if registry.kind == "dataset" and "label" not in annotations:
                continue
            for key, annotation in annotations.items():
                if names_a_path(annotation):
                    paths.add(f"{registry.kind}-{function.__name__}.{key}")
    listed = set(COMPONENTS) | NO_TABLES
    assert paths - listed == set(), "say in COMPONENTS how its table is read, or add it to NO_TABLES"
    assert listed <= paths


ODD, PLAIN = "a\u2028b\x0b\x0cc\x85d", "plain"
each = pytest.mark.parametrize("reader", [*COMPONENTS.values(), *COMMANDS.values()], ids=[*COMPONENTS, *COMMANDS])


def rows_of(reader: Reader) -> list[tuple[str, str]]:
    """Two rows, of which one has an odd cell where the reader looks."""
    return [(ODD, "x"), (PLAIN, "y")] if reader.first else [("x", ODD), ("y", PLAIN)]


def delimited(reader: Reader, mark: str, end: str = "\n") -> str:
    return end.join(mark.join(row) for row in [reader.columns, *rows_of(reader)])


def json_lines(reader: Reader, end: str = "\n") -> str:
    rows = (dict(zip(reader.columns, row, strict=True)) for row in rows_of(reader))
    return end.join(json.dumps(row, ensure_ascii=False) for row in rows)


def file(folder: Path, content: str, ending: str) -> Path:
    path = folder / f"t{ending}"
    path.write_bytes(content.encode())
    return path


@each
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(("ending", "mark"), [(".csv", ","), (".csv", ";"), (".tsv", "\t"), (".jsonl", "")])
def test_cells_come_whole_whatever_they_hold(reader, end, ending, mark, tmp_path):
    content = delimited(reader, mark, end) if mark else json_lines(reader, end)
    assert reader.read(file(tmp_path, content, ending)) == [ODD, PLAIN]


@each
@pytest.mark.parametrize(("ending", "mark"), [(".csv", ","), (".csv", ";"), (".tsv", "\t")])
def test_a_row_with_a_cell_too_many_is_an_error_with_its_line(reader, ending, mark, tmp_path):
    content = delimited(reader, mark) + f"\ngood{mark}film{mark} really\n"
    with pytest.raises(
        BadData, match=rf"t{ending}:4: the row has 3 cells and the header 2; quote a cell that contains .*"
    ):
        reader.read(file(tmp_path, content, ending))


@each
def test_a_comma_behind_a_backslash_is_an_error_with_its_line(reader, tmp_path):
    with pytest.raises(BadData, match=r"t\.csv:4: a backslash does not escape a comma"):
        reader.read(file(tmp_path, delimited(reader, ",") + "\ngood\\, really,film\n", ".csv"))


@each
def test_a_key_twice_in_a_line_of_json_is_an_error_with_its_line(reader, tmp_path):
    key, other = reader.columns
    line = f'{{"{key}": "good", "{key}": "film", "{other}": "z"}}'
    with pytest.raises(BadData, match=rf"t\.jsonl:3: duplicate key '{key}'"):
        reader.read(file(tmp_path, f"{json_lines(reader)}\n{line}\n", ".jsonl"))
