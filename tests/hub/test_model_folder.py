"""Files of a model of transformers: weights that are safetensors, and no code."""

import pytest

from ftaug.errors import BadData, MissingInput
from ftaug.hub.model_folder import has_weights, refuse_code, weights_file


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
