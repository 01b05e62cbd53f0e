import json

import pytest
from hf_files import picture_table, write_disk

from ftaug.data.shards.arrow_files import arrow_chunks, arrow_schema, files_on_disk
from ftaug.errors import BadData, MissingInput

pyarrow = pytest.importorskip("pyarrow")

PICTURES = [("1.jpg", b"one"), (None, b""), ("3.jpg", b"three" * 1000), ("4.jpg", b"4"), ("5.jpg", b"5")]
TABLE = picture_table(PICTURES, label=[0, 1, 0, 1, 0])


@pytest.mark.parametrize("kind", ["struct", "binary", "large_binary", "string"])
def test_values_are_found_in_the_file(tmp_path, kind):
    table = TABLE
    if kind != "struct":
        values = [content if kind != "string" else content.decode() for _, content in PICTURES]
        table = pyarrow.table({"image": pyarrow.array(values, getattr(pyarrow, kind)()), "label": [0] * 5})
    (file,) = files_on_disk("train", write_disk(tmp_path / "d", table))
    content = file.read_bytes()
    assert arrow_schema(file).names == ["image", "label"]
    chunks = [*arrow_chunks(file, ("image", "label"))]
    assert [len(chunk.columns["label"]) for chunk in chunks] == [2, 2, 1]
    offsets = [at for chunk in chunks for at in chunk.offsets.tolist()]
    expected = [picture for _, picture in PICTURES]
    assert [content[at : at + len(picture)] for at, picture in zip(offsets, expected, strict=True)] == expected


def test_several_splits(tmp_path):
    for name in ("train", "validation"):
        write_disk(tmp_path / "d" / name, TABLE, TABLE)
    (tmp_path / "d" / "dataset_dict.json").write_text('{"splits": ["train", "validation"]}')
    files = files_on_disk("val", tmp_path / "d")
    assert [str(file.relative_to(tmp_path)) for file in files] == [
        f"d/validation/data-0000{number}-of-00002.arrow" for number in range(2)
    ]
    with pytest.raises(BadData, match="has no split 'test'; there is train, validation"):
        files_on_disk("test", tmp_path / "d")


@pytest.mark.parametrize(
    ("state", "error", "message"),
    [
        (None, MissingInput, "holds no dataset of save_to_disk: state.json is missing"),
        ("{", BadData, "state.json: cannot be read"),
        ("{}", BadData, "state.json: does not list the files"),
        (json.dumps({"_indices_data_files": [1]}), BadData, r"call flatten_indices\(\) before save_to_disk"),
        (json.dumps({"_data_files": [{"filename": "x.arrow"}]}), MissingInput, "x.arrow is missing"),
    ],
)
def test_folders_that_are_no_dataset_are_errors(tmp_path, state, error, message):
    folder = write_disk(tmp_path / "d", TABLE)
    (folder / "state.json").unlink()
    if state is not None:
        (folder / "state.json").write_text(state)
    with pytest.raises(error, match=message):
        files_on_disk("train", folder)


@pytest.mark.parametrize("content", [b"", b"nothing" * 100, "cut"])
def test_damaged_files_are_errors(tmp_path, content):
    (file,) = files_on_disk("train", write_disk(tmp_path / "d", TABLE))
    file.write_bytes(file.read_bytes()[:-400] if content == "cut" else content)
    with pytest.raises(BadData, match="is not an Arrow stream, or is damaged"):
        [*arrow_chunks(file, ("image", "label"))]


def test_compressed_files_are_refused(tmp_path):
    file = tmp_path / "t.arrow"
    options = pyarrow.ipc.IpcWriteOptions(compression="zstd")
    with pyarrow.OSFile(str(file), "wb") as sink, pyarrow.ipc.new_stream(sink, TABLE.schema, options=options) as writer:
        writer.write_table(TABLE)
    with pytest.raises(BadData, match="is compressed, and cannot be read at offsets"):
        [*arrow_chunks(file, ("image", "label"))]
