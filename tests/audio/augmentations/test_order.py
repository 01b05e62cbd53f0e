"""Orders of augmentations that cannot be kept, and too many masks, are refused when the file is read."""

import pytest

from ftaug.cli import run

EXPERIMENT = """
modality: audio
data: {{train: {{instruments: {{per_class: 2}}}}}}
backbone: {{spectrogram: {{network: resnet20}}}}
augment: {augment}
"""


@pytest.mark.parametrize(
    ("augment", "said"),
    [
        (
            "[gain, speed]",
            "a.yaml:5:17: augment.1.speed is applied while the sound is read, and gain is applied to the waveform; "
            "list speed before it",
        ),
        ("[gain, {apply: [speed]}]", "apply.ops.0.speed is applied while the sound is read"),
        ("[time_mask, {one_of: {choices: [gain, noise]}}]", "gain is applied to the waveform, and time_mask"),
        ("[{time_mask: {count: 5}}, {frequency_mask: {count: 4}}]", "are 9 together; at most 8 fit"),
        (
            "[{noise: {snr: [30, 5]}}]",
            "augment.0.noise.snr must be [smallest, largest] in dB, from -120 to 120; got [30, 5]",
        ),
        ("[{time_mask: {count: 9}}]", "must be a whole number from 1 to 8"),
        ("[rotate]", "the augmentation 'rotate' is for modality image"),
        ("[noize]", "no augmentation 'noize'; did you mean 'noise'?"),
    ],
)
def test_says_where(tmp_path, monkeypatch, capsys, augment, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text(EXPERIMENT.format(augment=augment))
    assert run(["validate", "a.yaml"]) == 2
    assert said in capsys.readouterr().err


def test_every_order_that_can_be_kept_is_valid(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    ops = "[shift, {one_of: {choices: [speed, shift]}}, {shuffle: {ops: [gain, noise]}}, room, time_mask, spec_augment]"
    (tmp_path / "a.yaml").write_text(EXPERIMENT.format(augment=ops))
    assert run(["validate", "a.yaml"]) == 0, capsys.readouterr().err
