"""Noise at its ratio, backgrounds from their folder, clipping and coding."""

import numpy as np
import pytest
import soundfile
from sounds import RATE, augmentation, augmented, clip, noise, power, preprocessing, streams, tone, write_classes

from ftaug.audio.augmentations.pipeline import Pipeline
from ftaug.audio.augmentations.waves import background_files
from ftaug.errors import BadData, MissingInput


def ratio(before, after):
    """Signal-to-noise ratio in dB."""
    return 10 * np.log10(power(before) / power(after - before))


@pytest.mark.parametrize("color", ["white", "pink", "brown"])
def test_noise_is_at_its_ratio(color):
    for wanted in (-5, 10, 40):
        op = augmentation("noise", snr=[wanted, wanted], color=color, probability=1.0)
        assert ratio(tone(), augmented(tone(), op)) == pytest.approx(wanted, abs=0.1)


def test_the_ratio_is_that_of_the_part_that_is_not_padding():
    wave = tone(seconds=0.3)
    after = augmented(wave, augmentation("noise", snr=[10, 10], probability=1.0), seconds=1.0)
    assert ratio(wave, after[: len(wave)]) == pytest.approx(10, abs=0.1)


@pytest.mark.parametrize(("color", "slope"), [("white", 0), ("pink", -3.01), ("brown", -6.02)])
def test_noise_has_its_color(color, slope):
    silent = tone(level=1e-3)
    op = augmentation("noise", snr=[-60, -60], color=color, probability=1.0)
    octaves = []
    for epoch in range(10):
        spectrum = np.square(np.abs(np.fft.rfft(augmented(silent, op, epoch))))
        octaves.append([spectrum[low : 2 * low].mean() for low in (125, 250, 500, 1000, 2000)])
    levels = 10 * np.log10(np.mean(octaves, axis=0))
    assert np.diff(levels).mean() == pytest.approx(slope, abs=0.3)


def test_a_silent_sound_stays_silent():
    silent = np.zeros(RATE, np.float32)
    np.testing.assert_array_equal(augmented(silent, augmentation("noise", probability=1.0)), silent)


def test_a_background_is_a_part_of_a_file_of_the_folder(tmp_path):
    folder = write_classes(tmp_path / "rooms", seconds=0.5, count=2, rate=RATE)
    op = augmentation("background", path=str(folder), snr=[5, 5], probability=1.0)
    files = set()
    for epoch in range(12):
        wave = noise(0.25)
        part, _, applied = Pipeline((op,), preprocessing(0.25)).drawn(clip(wave), streams(epoch))
        assert ratio(wave, part.wave) == pytest.approx(5, abs=0.1)
        name = applied.values["background"]["file"]
        files.add(name)
        added = (part.wave - wave) / np.sqrt(power(part.wave - wave))
        best = 0.0
        for file in folder.glob(f"*/{name}"):
            whole, _ = soundfile.read(file, dtype="float32")
            matches = np.correlate(whole, added, "valid") / (np.sqrt(power(whole)) * len(added))
            best = max(best, float(np.abs(matches).max()))
        assert best > 0.99
    assert files == {"0.wav", "1.wav"}


def test_a_short_background_is_repeated(tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(0.1), RATE, subtype="FLOAT")
    op = augmentation("background", path=str(tmp_path), snr=[0, 0], probability=1.0)
    added = augmented(tone(), op) - tone()
    np.testing.assert_allclose(added[:1600], added[1600:3200], atol=1e-6)


def test_backgrounds_are_listed_in_order(tmp_path):
    folder = write_classes(tmp_path / "rooms", count=1)
    assert [file.split("/")[-2] for file in background_files(folder)] == ["high", "low", "middle"]


def test_says_what_is_wrong_with_a_folder(tmp_path):
    with pytest.raises(MissingInput, match=r"background\.path: .* holds no sounds"):
        background_files(tmp_path)
    with pytest.raises(MissingInput, match=r"background\.path: no folder"):
        background_files(tmp_path / "none")
    (tmp_path / "a.wav").write_bytes(b"no sound")
    with pytest.raises(BadData, match=r"background .*a\.wav: is not a sound"):
        augmented(tone(), augmentation("background", path=str(tmp_path), probability=1.0))


def test_clipping_limits_its_share():
    wave = noise()
    op = augmentation("clipping", share=0.2, probability=1.0)
    after = augmented(wave, op)
    share = Pipeline((op,), preprocessing(1.0)).draw(1.0, streams())[1].values["clipping"]["share"]
    assert (np.abs(after) == np.abs(after).max()).mean() == pytest.approx(share, abs=0.005)
    inside = np.abs(wave) < np.abs(after).max()
    np.testing.assert_array_equal(after[inside], wave[inside])


@pytest.mark.parametrize("bits", [3, 8])
def test_mu_law_has_as_many_levels_as_its_bits(bits):
    wave = noise()
    after = augmented(wave, augmentation("mu_law", bits=bits, probability=1.0))
    assert len(np.unique(np.round(after, 7))) <= 2**bits - 1
    assert np.sign(after[np.abs(wave) > 0.1]).tolist() == np.sign(wave[np.abs(wave) > 0.1]).tolist()


def test_mu_law_of_8_bits_is_that_of_telephones(tmp_path):
    wave = np.linspace(-1, 1, 2001, dtype=np.float32)
    ours = augmented(wave, augmentation("mu_law", bits=8, probability=1.0))
    soundfile.write(tmp_path / "a.wav", wave, 8000, subtype="ULAW")
    theirs, _ = soundfile.read(tmp_path / "a.wav", dtype="float32")
    np.testing.assert_allclose(ours, theirs, atol=0.04)
    assert abs(ratio(wave, ours) - ratio(wave, theirs)) < 1.5


def test_a_silent_background_is_an_error_and_a_pause_is_not(tmp_path):
    op = augmentation("background", path=str(tmp_path), probability=1.0)
    soundfile.write(tmp_path / "a.wav", np.zeros(9000), RATE)
    with pytest.raises(BadData, match=r"background .*a\.wav: is silent: all its samples are zero; delete it"):
        augmented(tone(), op)
    soundfile.write(tmp_path / "a.wav", np.append(np.zeros(60 * RATE), 0.5), RATE)
    np.testing.assert_array_equal(augmented(tone(), op), tone())
