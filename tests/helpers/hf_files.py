"""Parquet files and folders of Arrow files as Hugging Face's datasets writes them."""

import json
from pathlib import Path

PICTURE, SOUND = {"_type": "Image"}, {"_type": "Audio"}


def classes(*names: str) -> dict:
    """The feature of a label with these names."""
    return {"names": [*names], "_type": "ClassLabel"}


def picture_table(pictures: list[tuple[str | None, bytes | None]], features: dict | None = None, **columns: list):
    """A table with pictures, each a path and bytes, and further columns, with the features in its schema."""
    return file_table("image", pictures, features or {"image": PICTURE}, **columns)


def file_table(name: str, files: list[tuple[str | None, bytes | None]], features: dict, **columns: list):
    """A table with a column of files, each a path and bytes."""
    import pyarrow

    kind = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    rows = [{"bytes": content, "path": path} for path, content in files]
    table = pyarrow.table({name: pyarrow.array(rows, kind), **columns})
    return with_features(table, features)


def with_features(table, features: dict):
    """The table with the features of a dataset in its schema."""
    return table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def write_parquet(path: Path, table, row_group_size: int = 100, **options) -> Path:
    """A Parquet file; pictures are not compressed, as datasets 4 and later write them."""
    import pyarrow.parquet

    options = {"compression": {"image.bytes": "none"}, "use_dictionary": False, **options}
    pyarrow.parquet.write_table(table, path, row_group_size=row_group_size, **options)
    return path


def write_disk(folder: Path, *tables, batch: int = 2) -> Path:
    """A folder of Arrow files, one for each table."""
    import pyarrow

    folder.mkdir(parents=True)
    names = [f"data-{number:05}-of-{len(tables):05}.arrow" for number in range(len(tables))]
    for name, table in zip(names, tables, strict=True):
        with pyarrow.OSFile(str(folder / name), "wb") as file, pyarrow.ipc.new_stream(file, table.schema) as writer:
            writer.write_table(table, max_chunksize=batch)
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name} for name in names]}))
    return folder
