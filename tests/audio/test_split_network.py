"""Networks of transformers for sounds, split before a layer: both parts together answer as the whole does."""

import pytest
import sound_networks as networks
import torch
from sounds import clip, noise

from ftaug.audio.augmentations.pipeline import Pipeline
from ftaug.audio.backbones.hf import hf
from ftaug.audio.samples import collate, normalizer
from ftaug.interfaces.model import CannotCut

CLASSES = ["LABEL_0", "LABEL_1", "LABEL_2"]
STABLE = "wav2vec2-layer"
each = pytest.mark.parametrize("family", [name for name in networks.CONFIGS if name not in (STABLE, "whisper")])


def loaded(folder, family, **config):
    backbone = hf(CLASSES, path=str(networks.write(folder, family, config=config)))
    backbone.load_pretrained()
    backbone.network.eval()
    return backbone


def inputs_of(backbone):
    """Sounds of which all but the first are padded."""
    pipeline = Pipeline((), backbone.preprocessing)
    sounds = [pipeline.packed(clip(noise(seconds, seed=seed)), None)[0] for seed, seconds in enumerate((2, 0.5, 0.1))]
    return normalizer(backbone.preprocessing)(collate(sounds))


def learning(backbone, *stages):
    chosen = [stage for stage in backbone.stages if stage.name in stages]
    return [name for name, _ in backbone.network.named_parameters() if any(stage.holds(name) for stage in chosen)]


@torch.no_grad()
def check(backbone, *stages):
    """Compare with the whole network, also after the layers that learn have changed; return the features."""
    trained, inputs = learning(backbone, *stages), inputs_of(backbone)
    before, after = backbone.network.halves(trained)
    features = before(inputs)
    for name in trained:
        parameter = backbone.network.get_parameter(name)
        parameter.add_(0.1 * torch.randn_like(parameter))
    whole = backbone.network(inputs)
    assert whole.std(dim=0).min() > 1e-2
    torch.testing.assert_close(after(features.clone()), whole, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(before(inputs[1:2]), features[1:2], atol=1e-5, rtol=1e-5)
    frozen = {id(p) for name, p in backbone.network.named_parameters() if name not in trained}
    assert all(id(parameter) in frozen for parameter in before.parameters())
    return features


@each
def test_a_head_alone_sees_one_vector_of_a_sound_on_waveforms_and_two_tokens_of_ast(family, tmp_path):
    features = check(loaded(tmp_path, family), "head")
    assert features.shape == ((3, 2, 24) if family == "ast" else (3, 24))


@each
def test_the_last_layers_see_all_frames_and_which_of_them_are_padding(family, tmp_path):
    features = check(loaded(tmp_path, family), "layer2", "head")
    if family != "ast":
        assert features.shape[2] == 25 and 0 < features[2, :, -1].sum() < features[0, :, -1].sum()


@pytest.mark.parametrize("stages", [("head",), ("layer2", "head")])
def test_layers_that_normalize_before_them(stages, tmp_path):
    check(loaded(tmp_path, STABLE, use_weighted_layer_sum=False), *stages)


def test_what_cannot_be_split(tmp_path):
    backbone = loaded(tmp_path / "a", STABLE)
    with pytest.raises(CannotCut, match=r"the head sees the outputs of all layers \(use_weighted_layer_sum in config"):
        backbone.network.halves(learning(backbone, "head"))
    for family in ("ast", "wavlm"):
        backbone = loaded(tmp_path / family, family)
        for stage in ("embeddings", "layer1"):
            with pytest.raises(CannotCut, match="what layers give can be stored, and the first layer is trained"):
                backbone.network.halves(learning(backbone, stage, "head"))


def test_dropout_within_the_head_would_see_the_mean_instead_of_the_frames(tmp_path):
    backbone = loaded(tmp_path, "hubert")
    head = learning(backbone, "head")
    backbone.network.model.projector.dropout = torch.nn.Dropout(0.1)
    with pytest.raises(CannotCut, match="the mean of the frames is stored for the head, in which dropout hides"):
        backbone.network.halves(head)


def test_whisper_is_not_split(tmp_path):
    backbone = loaded(tmp_path, "whisper")
    with pytest.raises(CannotCut, match="of Whisper all frames of its window would have to be stored for each sound"):
        backbone.network.halves(learning(backbone, "head"))
