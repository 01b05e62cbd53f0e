"""Files of a model of transformers: weights that are safetensors, and no code."""

import os
import subprocess
import sys

import pytest

from ftaug.errors import BadData, MissingInput
from ftaug.hub.model_folder import has_weights, json_file, refuse_code, weights_file


def test_only_safetensors_are_weights(tmp_path):
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    assert not has_weights(str(tmp_path))
    with pytest.raises(MissingInput, match=r"holds no model\.safetensors, and other files, which may run code"):
        weights_file(str(tmp_path))
    (tmp_path / "model.safetensors").touch()
    assert has_weights(str(tmp_path)) and weights_file(str(tmp_path)) == str(tmp_path / "model.safetensors")


def test_code_of_any_file_is_refused():
    refuse_code("a", {"config.json": {"model_type": "bert"}})
    with pytest.raises(BadData, match=r"a contains its own code \(auto_map in b\.json\), which is not run"):
        refuse_code("a", {"config.json": {}, "b.json": {"auto_map": {}}})


def test_a_json_file_of_a_folder(tmp_path):
    with pytest.raises(MissingInput, match=r"--backbone: cannot get a\.json of "):
        json_file("--backbone", str(tmp_path), "a.json")
    (tmp_path / "a.json").write_text('{"b": 1}')
    assert json_file("--backbone", str(tmp_path), "a.json") == {"b": 1}
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(BadData, match=r"--backbone: a\.json of .* is not JSON: Expecting"):
        json_file("--backbone", str(tmp_path), "a.json")


def test_a_json_file_of_the_hub_that_was_downloaded_earlier(tmp_path):
    """In another process, as the library of the hub reads its settings when it is imported."""
    code = """
from ftaug.errors import FtaugError
from ftaug.hub.model_folder import json_file
print(json_file("--backbone", "some/model", "a.json"))
for name in ("some/other", "some/$"):
    try:
        json_file("--backbone", name, "a.json")
    except FtaugError as error:
        print(error)
"""
    stored = tmp_path / "hub" / "models--some--model"
    (stored / "snapshots" / "1234").mkdir(parents=True)
    (stored / "snapshots" / "1234" / "a.json").write_text('{"b": 1}')
    (stored / "refs").mkdir()
    (stored / "refs" / "main").write_text("1234")
    offline = {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | offline, capture_output=True, text=True)
    content, missing, malformed = done.stdout.splitlines()
    assert content == "{'b': 1}"
    assert missing.startswith("--backbone: cannot get a.json of some/other: it is not on this machine, and offline")
    assert malformed.startswith("--backbone: cannot get a.json of some/$: ")
