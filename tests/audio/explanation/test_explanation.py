"""What is removed, where a map lies in time and frequency, and the files that show it."""

import io
import json

import numpy as np
import pytest
import torch
from explained_sounds import inputs
from PIL import Image
from sounds import clip, noise, preprocessing, tone

from ftaug.attribution.maps import extreme
from ftaug.audio.explanation.axes import LEFT
from ftaug.audio.explanation.explanation import locate, pictures, remove, render
from ftaug.audio.log_mel import LogMel
from ftaug.audio.packed import pack
from ftaug.interfaces.explanation import Attribution, Explanation

CORNER = Attribution(np.pad(np.ones((2, 2)), ((6, 0), (6, 0))))  # the highest bands at the end


@pytest.mark.parametrize("shape", [(3, 32, 48), (1, 32, 48)])
def test_the_highest_or_the_lowest_values_of_a_spectrogram_are_removed(shape):
    sample = inputs(*shape)
    sample[:, :, 24:, 36:] += 20
    without = remove(sample, CORNER, 1 / 16, True, {})
    assert without.shape == sample.shape and without.dtype == sample.dtype
    assert float(without[:, :, 24:, 36:].max()) < 5
    np.testing.assert_array_equal(without[:, :, :24], sample[:, :1, :24].expand(-1, shape[0], -1, -1))
    least = remove(sample, CORNER, 0.9, False, {})
    np.testing.assert_array_equal(least[:, :1, 24:, 36:], sample[:, :1, 24:, 36:])


def test_parts_of_a_waveform_become_silent():
    sample = torch.cat([torch.tensor([[4000.0]]), torch.from_numpy(tone(500, seconds=0.25))[None]], dim=1)
    attribution = Attribution(np.array([[0.0, 1.0, 0.0, 0.0]]))
    without = remove(sample, attribution, 0.25, True, {})
    removed = extreme(attribution, 1, 4000, 0.25, True)[0]
    assert without[0, 0] == 4000
    np.testing.assert_array_equal(without[0, 1:][~removed], sample[0, 1:][~removed])
    assert not without[0, 1:][removed].any()


def test_a_map_lies_where_the_sound_is():
    """The map is the energy of a tone of 2,000 Hz from 1.5 to 2 s of the file; its place is read from the facts."""
    wave = np.concatenate([noise(1.5, level=1e-4), tone(2000, seconds=0.5), noise(1.5, level=1e-4)])
    form = preprocessing(2.0)
    raw = clip(np.concatenate([noise(1.0, level=1e-4), wave]), start=1.0)  # a part of a file, which starts at 1 s
    first = (len(wave) - 32_000) // 2
    spectrogram = LogMel(form)(torch.from_numpy(pack(wave[first : first + 32_000], 0, 32_000)[None]))[0, 0]
    loud = (spectrogram - spectrogram.min()).double().numpy()
    facts = json.loads(json.dumps(locate(raw, Attribution(loud), form)))
    assert facts["seconds"] == [1.75, 3.75]  # the middle of 3.5 s, behind the first second
    row = int(np.argmax(np.sum(facts["map"], axis=1)))
    assert 0.95 * facts["hertz"][row] <= 2000 <= 1.05 * facts["hertz"][row + 1]
    columns = np.array(facts["map"])[row]
    times = np.linspace(*facts["seconds"], len(columns))
    assert times[columns > columns.max() / 2].min() == pytest.approx(2.5, abs=0.05)
    assert times[columns > columns.max() / 2].max() == pytest.approx(3.0, abs=0.05)


def explanation(seconds=1.0):
    raw = clip(tone(1000, seconds=seconds))
    return Explanation("<b>.wav", raw, "predicted <i> (0.9)", "<i> (0.9)", "occlusion", CORNER)


def test_the_map_is_drawn_with_low_bands_below_and_without_padding():
    plain, mapped = pictures(explanation(0.5), preprocessing(1.0), 224)
    assert plain.shape == mapped.shape and plain.shape[1] == 224
    mapped_whole = pictures(explanation(1.0), preprocessing(1.0), 224)[1]
    colored = np.ptp(mapped_whole[:, LEFT:].astype(int), axis=2) > 40
    top, right = colored.shape[0] // 4, colored.shape[1] * 3 // 4
    assert colored[: top - 8, right + 2 :].all()
    assert not colored[:, : right - 2].any() and not colored[top + 2 : -20].any()
    assert not (np.ptp(mapped[:, LEFT:].astype(int), axis=2) > 40).any(), "the end is padding"


@pytest.mark.parametrize("form", [preprocessing(1.0), {"rate": 16_000, "samples": 16_000, "waveform": {}}])
def test_a_sheet_and_a_page_show_it(form):
    assert Image.open(io.BytesIO(render([explanation()], "title", form, ".png"))).format == "PNG"
    page = render([explanation()], "title", form, ".html").decode()
    assert "<b>" not in page and "&lt;b&gt;.wav" in page and page.count("<img") == 2
