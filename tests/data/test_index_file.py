import numpy as np
import pytest

from ftaug.data.index_file import load, save
from ftaug.data.packed import Packed


def test_arrays_strings_and_json_come_back(tmp_path):
    values = {"names": Packed.of([b"a", b"", b"cc"]), "sizes": np.arange(3), "notes": ["x"], "kind": {"a": [1]}}
    save(tmp_path / "deep" / "i.npz", 3, values)
    loaded = load(tmp_path / "deep" / "i.npz", 3)
    assert [loaded["names"][i] for i in range(3)] == [b"a", b"", b"cc"]
    assert loaded["sizes"].tolist() == [0, 1, 2] and loaded["notes"] == ("x",) and loaded["kind"] == {"a": [1]}
    assert {*loaded} == {*values}


@pytest.mark.parametrize("damage", ["missing", "version", "cut", "text"])
def test_what_cannot_be_used_is_none(tmp_path, damage):
    file = tmp_path / "i.npz"
    save(file, 1, {"sizes": np.arange(1000)})
    content = file.read_bytes()
    if damage == "missing":
        file.unlink()
    elif damage != "version":
        file.write_bytes(content[:-200] if damage == "cut" else b"no index")
    assert load(file, 2 if damage == "version" else 1) is None


def test_a_cache_that_cannot_be_written_is_ignored(tmp_path):
    (tmp_path / "file").write_text("")
    save(tmp_path / "file" / "i.npz", 1, {})
    assert load(tmp_path / "file" / "i.npz", 1) is None
