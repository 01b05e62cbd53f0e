"""Networks of transformers for sounds: the answers of transformers itself, whatever else is in the batch."""

import json
import shutil

import numpy as np
import pytest
import sound_networks as networks
import torch
from sounds import augmentation, clip, noise

from ftaug.audio.augmentations.pipeline import Pipeline
from ftaug.audio.backbones.hf import hf
from ftaug.audio.samples import described, normalizer, pipeline
from ftaug.errors import BadData, ExperimentError, MissingInput

CLASSES = ["LABEL_0", "LABEL_1", "LABEL_2"]
each = pytest.mark.parametrize("family", networks.CONFIGS)
LENGTHS = (0.5, 0.21, 0.05)


def loaded(folder, **settings):
    backbone = hf(CLASSES, path=str(folder), **settings)
    backbone.load_pretrained()
    backbone.network.eval()
    return backbone


@torch.no_grad()
def logits(backbone, waves):
    seen = Pipeline((), backbone.preprocessing)
    packed = torch.from_numpy(np.concatenate([seen.packed(clip(wave), None)[0] for wave in waves]))
    return backbone.network(normalizer(backbone.preprocessing)(packed))


def settings_of(family):
    return {} if family in networks.FIXED else {"seconds": 0.5}


@each
def test_answers_as_transformers_alone_and_in_a_batch(family, tmp_path):
    backbone = loaded(networks.write(tmp_path, family), **settings_of(family))
    waves = [noise(seconds, seed=seed) + 0.05 for seed, seconds in enumerate(LENGTHS)]
    together = logits(backbone, waves)
    assert together.std(dim=0).min() > 1e-2  # the sounds differ, so equal answers say something
    for wave, row in zip(waves, together, strict=True):
        torch.testing.assert_close(row, networks.expected_logits(tmp_path, wave), atol=1e-5, rtol=0)
        torch.testing.assert_close(row, logits(backbone, [wave])[0], atol=1e-5, rtol=0)


@pytest.mark.parametrize("family", ["ast", "hubert"])
def test_sounds_are_normalized_only_if_the_feature_extractor_does(family, tmp_path):
    backbone = loaded(networks.write(tmp_path, family, do_normalize=False), **settings_of(family))
    wave = noise(0.3) + 0.05
    torch.testing.assert_close(logits(backbone, [wave])[0], networks.expected_logits(tmp_path, wave), atol=1e-5, rtol=0)


@each
def test_a_sound_shorter_than_a_frame_has_an_answer(family, tmp_path):
    backbone = loaded(networks.write(tmp_path, family), **settings_of(family))
    assert logits(backbone, [noise(0.001), noise(0.5)]).isfinite().all()


@each
def test_stages_cover_every_parameter_once(family, tmp_path):
    backbone = hf(CLASSES, path=str(networks.write(tmp_path, family)))
    assert [stage.name for stage in backbone.stages] == ["embeddings", "layer1", "layer2", "head"]
    for name, _ in backbone.network.named_parameters():
        within = [stage.name for stage in backbone.stages if stage.holds(name)]
        assert len(within) == 1, name
        if any(
            part in name
            for part in ("feature_extractor", "patch_embeddings", "pos_conv", "encoder.conv", "embed_positions")
        ):
            assert within == ["embeddings"], name
        if "classifier" in name or "projector" in name:
            assert within == ["head"], name


def test_every_parameter_of_the_network_learns_and_no_random_state_is_used(tmp_path):
    backbone = loaded(networks.write(tmp_path, "wav2vec2"), seconds=0.5)
    backbone.network.train()
    for module in backbone.network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    before = np.random.get_state()[1].copy()
    wave = noise(0.5)
    packed = torch.from_numpy(Pipeline((), backbone.preprocessing).packed(clip(wave), None)[0])
    backbone.network(normalizer(backbone.preprocessing)(packed)).sum().backward()
    assert all(parameter.grad is not None for parameter in backbone.network.parameters())
    assert (np.random.get_state()[1] == before).all()


def test_other_classes_get_a_new_head_and_the_same_encoder(tmp_path):
    networks.write(tmp_path, "wav2vec2")
    backbone = hf(["a", "b"], path=str(tmp_path))
    backbone.load_pretrained()
    assert backbone.network.model.classifier.weight.shape == (2, 12)
    same = loaded(tmp_path).network.model.wav2vec2
    for name, tensor in backbone.network.model.wav2vec2.state_dict().items():
        torch.testing.assert_close(tensor, same.state_dict()[name])


def test_the_folder_of_a_run_builds_the_same_network(tmp_path):
    backbone = loaded(networks.write(tmp_path / "a", "ast"))
    (tmp_path / "b").mkdir()
    backbone.origin.write(tmp_path / "b")
    again = hf(CLASSES, path=str(tmp_path / "b"), weights="none")
    assert again.preprocessing == backbone.preprocessing
    again.network.load_state_dict(backbone.network.state_dict())


def test_masks_of_spectrograms_are_refused_for_waveforms(tmp_path):
    form = hf(CLASSES, path=str(networks.write(tmp_path, "wavlm"))).preprocessing
    assert described({**form, "windows": 1}).endswith("2 s, waveform, normalized; in evaluation 1 window averaged")
    pipeline([augmentation("gain")], form)
    with pytest.raises(ExperimentError, match="augment: time_mask masks spectrograms, and this backbone takes wave"):
        pipeline([augmentation("gain"), augmentation("time_mask")], form)


def test_what_is_refused(tmp_path):
    ast = networks.write(tmp_path / "ast", "ast")
    with pytest.raises(ExperimentError, match=r"backbone\.hf\.seconds: AST and Whisper always see as much as"):
        hf(CLASSES, path=str(ast), seconds=1)
    with pytest.raises(ExperimentError, match="use onnx, torch_export or safetensors"):
        hf(CLASSES, path=str(ast)).save(tmp_path)
    with pytest.raises(MissingInput, match=r"is not a folder with a config\.json"):
        hf(CLASSES, path=str(tmp_path))
    file = ast / "preprocessor_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "max_length": 32}))
    with pytest.raises(BadData, match="gives 32 mels × 32 frames, the network takes 32 × 64"):
        hf(CLASSES, path=str(ast))
    file.write_text(json.dumps({**json.loads(file.read_text()), "auto_map": {}}))
    with pytest.raises(BadData, match=r"contains its own code \(auto_map in preprocessor_config\.json\)"):
        hf(CLASSES, path=str(ast))
    file.unlink()
    with pytest.raises(MissingInput, match=r"is not a folder with a preprocessor_config\.json"):
        hf(CLASSES, path=str(ast))


def test_networks_on_other_features_are_refused(tmp_path):
    networks.write(tmp_path / "a", "wav2vec2")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    (tmp_path / "b" / "config.json").write_text(json.dumps({"model_type": "sew"}))
    with pytest.raises(BadData, match="is a 'sew', which is not read: use AST, whisper, wav2vec2, hubert"):
        hf(CLASSES, path=str(tmp_path / "b"))
    config = json.loads((tmp_path / "a" / "config.json").read_text())
    (tmp_path / "a" / "config.json").write_text(json.dumps({**config, "add_adapter": True}))
    with pytest.raises(BadData, match=r"has an adapter \(add_adapter\)"):
        hf(CLASSES, path=str(tmp_path / "a"))
