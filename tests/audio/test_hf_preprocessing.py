"""Windows of networks of transformers are as long as their feature extractors cut and pad."""

import pytest
import transformers

from ftaug.audio.hf_preprocessing import fixed_window, of_whisper, unsupported


@pytest.mark.parametrize("seconds", [1, 30])
def test_the_window_of_whisper_is_that_of_its_feature_extractor(seconds):
    extractor = transformers.WhisperFeatureExtractor(chunk_length=seconds)
    form = of_whisper(extractor.sampling_rate, extractor.feature_size, extractor.nb_max_frames)
    assert form["samples"] == extractor.n_samples
    assert form["size"] == [extractor.feature_size, extractor.nb_max_frames]


def test_the_window_of_ast_ends_with_its_last_frame():
    assert fixed_window("ast", 16_000, 128, 1) == 400
    assert fixed_window("ast", 16_000, 128, 1024) == 400 + 1023 * 160


def test_what_is_not_read_has_a_reason():
    assert unsupported({"model_type": "wavlm"}) is None
    known = "which is not read: use AST, whisper, wav2vec2, hubert, wavlm or unispeech"
    assert unsupported({"model_type": "sew"}) == f"is a 'sew', {known}"
    assert unsupported({}) == f"is of no known kind (model_type in config.json), {known}"
    assert unsupported({"model_type": "wav2vec2", "add_adapter": True}) == (
        "has an adapter (add_adapter), which has no classifier"
    )
