"""Pictures of spectrograms: high frequencies above, padding gray."""

from sounds import clip, noise, preprocessing, tone

from ftaug.audio.packed import pack
from ftaug.audio.picture import HIDDEN, spectrograms, whole


def test_high_frequencies_are_above():
    high, low = whole(clip(tone(6000))), whole(clip(tone(200)))
    rows = [picture.astype(int).sum(axis=(1, 2)).argmax() / len(picture) for picture in (high, low)]
    assert rows[0] < 0.3 < 0.6 < rows[1]


def test_padding_is_gray_and_sounds_are_not():
    (picture,) = spectrograms(pack(noise(), 0, 8000)[None], preprocessing())
    is_hidden = (picture == HIDDEN).all(axis=2).mean(axis=0)
    assert (is_hidden[len(is_hidden) // 2 + 2 :] == 1).all() and is_hidden[: len(is_hidden) // 2 - 2].max() < 0.1


def test_any_length_can_be_drawn():
    assert whole(clip(tone(seconds=0.005))).ndim == 3
    assert whole(clip(tone(seconds=30.0))).shape[1] == 998
