"""Choose the columns of Parquet and Arrow files: by their names, types and the features of Hugging Face datasets."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ftaug.data.tables.rows import check_columns
from ftaug.errors import BadData

Content = Literal["picture", "sound", "text"]


class _Encoded(NamedTuple):
    """What files of pictures or sounds in a column are called."""

    feature: str  # of Hugging Face datasets
    setting: str  # that names the column
    links: tuple[str, ...]  # columns that hold paths or addresses instead
    table: str  # dataset of a table of files


ENCODED: Mapping[Content, _Encoded] = {
    "picture": _Encoded("Image", "image", ("image", "image_url", "url", "path", "file_name"), "image_table"),
    "sound": _Encoded("Audio", "audio", ("audio", "audio_url", "url", "path", "file_name"), "audio_table"),
}


@dataclass(frozen=True)
class ColumnSettings:
    """The columns that a dataset names; None to choose them by the schema."""

    sample: str | None
    label: str | None
    target: str | tuple[str, ...] | None
    group: str | None
    classes: tuple[str, ...] | None


@dataclass(frozen=True)
class Columns:
    """The columns that are read, and the class names that the schema has for the label."""

    sample: str
    in_struct: bool  # whether a sample is a struct of bytes and path
    targets: tuple[str, ...]
    group: str | None
    classes: tuple[str, ...] | None

    @property
    def labels(self) -> tuple[str, ...]:
        """The columns of targets and of the group."""
        return (*self.targets, *([self.group] if self.group is not None else []))


def choose_columns(path: Path, schema: Any, content: Content, settings: ColumnSettings) -> Columns:
    """Choose the columns of a file by its Arrow schema; raises BadData."""
    features = _features(schema)
    sample = settings.sample or _sample_column(path, schema, content, features)
    label = settings.label or _label_column(schema, features)
    target = settings.target
    targets = (label,) if target is None else (target,) if isinstance(target, str) else target
    columns = [sample, *targets, *([settings.group] if settings.group is not None else [])]
    check_columns(path, columns, schema.names)
    _check_type(path, schema.field(sample), content)
    classes = _class_names(features.get(label)) if target is None else None
    in_struct = schema.field(sample).type.num_fields > 0
    return Columns(sample, in_struct, targets, settings.group, settings.classes or classes)


def _features(schema: Any) -> Mapping[str, Any]:
    """Return the features of a Hugging Face dataset by column; none if the schema has none that can be read."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return features if isinstance(features, dict) else {}
    except (KeyError, TypeError, ValueError):
        return {}


def _sample_column(path: Path, schema: Any, content: Content, features: Mapping[str, Any]) -> str:
    if content == "text":
        return "text"
    encoded = ENCODED[content]
    names: list[str] = [name for name in schema.names if _type_of(features.get(name)) == encoded.feature]
    if not names:
        others = {each.feature for each in ENCODED.values()}
        files = [field.name for field in schema if _is_bytes(field.type) or _is_struct_of_bytes(field.type)]
        names = [name for name in files if _type_of(features.get(name)) not in others]
    if len(names) == 1:
        return names[0]
    listed = ", ".join(f"'{name}'" for name in names or schema.names)
    if names:
        raise BadData(f"{path}: several columns hold {content}s: {listed}; set {encoded.setting} to one of them")
    texts = [field.name for field in schema if field.name in encoded.links]
    if texts:
        _check_type(path, schema.field(texts[0]), content)
    raise BadData(f"{path}: no column holds {content}s; the columns are {listed}")


def _type_of(feature: Any) -> Any:
    return feature.get("_type") if isinstance(feature, dict) else None


def _label_column(schema: Any, features: Mapping[str, Any]) -> str:
    """Return the only column with class names, or `label`."""
    named = [name for name, feature in features.items() if _class_names(feature) is not None]
    return named[0] if len(named) == 1 and "label" not in named and named[0] in schema.names else "label"


def _class_names(feature: Any) -> tuple[str, ...] | None:
    """Return the names of a ClassLabel, or of the items of a list of them."""
    if isinstance(feature, list) and len(feature) == 1:
        feature = feature[0]
    elif isinstance(feature, dict) and feature.get("_type") in ("Sequence", "List", "LargeList"):
        feature = feature.get("feature")
    if not isinstance(feature, dict) or feature.get("_type") != "ClassLabel":
        return None
    names = feature.get("names")
    return tuple(map(str, names)) if isinstance(names, Sequence) and names else None


def _check_type(path: Path, field: Any, content: Content) -> None:
    """Raise BadData for a column of samples whose type has none."""
    import pyarrow

    types = pyarrow.types
    is_text = types.is_string(field.type) or types.is_large_string(field.type)
    if content == "text":
        if not is_text:
            raise BadData(f"{path}: column '{field.name}' must hold texts; it is of type {field.type}")
    elif is_text:
        remedy = f"download addresses first, or read files with {ENCODED[content].table}"
        raise BadData(
            f"{path}: column '{field.name}' holds texts, such as paths or addresses, not {content}s; {remedy}"
        )
    elif not _is_bytes(field.type) and not _is_struct_of_bytes(field.type):
        raise BadData(f"{path}: column '{field.name}' must hold {content}s as bytes; it is of type {field.type}")


def _is_bytes(kind: Any) -> bool:
    import pyarrow

    return bool(pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind))


def _is_struct_of_bytes(kind: Any) -> bool:
    import pyarrow

    return pyarrow.types.is_struct(kind) and any(child.name == "bytes" and _is_bytes(child.type) for child in kind)
