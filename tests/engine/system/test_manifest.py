"""Manifests name what differs from the files that were written."""

import hashlib
import json

import pytest

from ftaug.engine.system.manifest import file_defect, manifest_of, read_manifest
from ftaug.errors import BadData


def test_it_holds_sizes_and_digests_by_relative_path(tmp_path):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "a.py").write_bytes(b"x = 1")
    (tmp_path / "b").write_bytes(b"")
    content = manifest_of(tmp_path, ["plugins/a.py", "b"])
    digest = hashlib.sha256(b"x = 1").hexdigest()
    assert json.loads(content)["files"]["plugins/a.py"] == {"size": 5, "sha256": digest}
    assert read_manifest(tmp_path) is None
    (tmp_path / "manifest.json").write_bytes(content)
    assert read_manifest(tmp_path) == {"b": hashlib.sha256(b"").hexdigest(), "plugins/a.py": digest}


def test_what_differs_is_named(tmp_path):
    (tmp_path / "a").write_bytes(b"a")
    digest = hashlib.sha256(b"a").hexdigest()
    assert file_defect(tmp_path / "a", digest) == ""
    assert file_defect(tmp_path / "b", digest) == "is missing"
    assert file_defect(tmp_path / "\ud800", digest) == file_defect(tmp_path / "\0", digest) == "is missing"
    (tmp_path / "a").write_bytes(b"b")
    assert file_defect(tmp_path / "a", digest) == "its content differs from its hash"
    assert file_defect(tmp_path, digest) == "cannot be read (Is a directory)"


@pytest.mark.parametrize("content", ["{", "[]", '{"files": []}', '{"files": {"a": 1}}', '{"files": {"a": {}}}'])
def test_a_damaged_manifest_is_bad_data(tmp_path, content):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(BadData, match=r"manifest\.json: is damaged"):
        read_manifest(tmp_path)
