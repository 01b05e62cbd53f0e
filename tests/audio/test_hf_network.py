"""What `ftaug init` reads of a network of transformers: the same as the backbone does with that library."""

import json

import pytest
import sound_networks as networks

from ftaug.audio.backbones.hf import hf
from ftaug.audio.hf_network import HfNetwork, check_weights
from ftaug.errors import BadData, MissingInput


@pytest.mark.parametrize("family", ["ast", "wav2vec2", "unispeech-sat", "whisper"])
@pytest.mark.parametrize("normalize", [True, False])
def test_reads_what_the_backbone_reads(family, normalize, tmp_path):
    folder = str(networks.write(tmp_path, family, do_normalize=normalize))
    network, seen = HfNetwork.read(folder), hf(["a", "b"], path=folder).preprocessing
    assert network.rate == seen["rate"]
    assert network.takes_waveforms == ("waveform" in seen)
    assert network.normalizes == seen.get("waveform", {}).get("normalize", False)
    assert network.seconds == (seen["samples"] / seen["rate"] if family in networks.FIXED else None)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("config.json", {"model_type": "bert"}, "n is a 'bert', which is not read: use AST, whisper, wav2vec2, hubert"),
        ("config.json", {"model_type": "wavlm", "add_adapter": True}, r"n has an adapter \(add_adapter\)"),
        ("config.json", {"model_type": "wavlm", "auto_map": {}}, r"n contains its own code \(auto_map in config"),
        ("preprocessor_config.json", [], r"preprocessor_config\.json of .*n is not a JSON object"),
    ],
)
def test_what_is_refused(file, content, message, tmp_path):
    networks.write(tmp_path / "n", "wavlm")
    (tmp_path / "n" / file).write_text(json.dumps(content))
    with pytest.raises(BadData, match=f"--backbone: .*{message}"):
        HfNetwork.read(str(tmp_path / "n"))


def test_a_folder_without_weights(tmp_path):
    networks.write(tmp_path, "ast")
    check_weights(str(tmp_path))
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(MissingInput, match=r"--backbone: .* has no model\.safetensors; write it with save_pretrained"):
        check_weights(str(tmp_path))
