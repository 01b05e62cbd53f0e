"""WAV files with the same bytes for the same samples, read back by libsndfile and by the standard library."""

import io
import wave

import numpy as np
import pytest
import soundfile
from sounds import noise

from ftaug.audio.io.wav import encoded


@pytest.mark.parametrize("dtype", [np.float32, np.int16])
def test_reads_back_as_the_same_samples(dtype):
    samples = (noise(0.1) * (3 if dtype == np.float32 else 9999)).astype(dtype)
    read, rate = soundfile.read(io.BytesIO(encoded(samples, 22_050)), dtype=dtype.__name__)
    assert rate == 22_050
    np.testing.assert_array_equal(read, samples)
    assert encoded(samples, 22_050) == encoded(samples.copy(), 22_050)


def test_the_standard_library_reads_integers():
    samples = np.array([1, -2, 3], np.int16)
    with wave.open(io.BytesIO(encoded(samples, 8000))) as file:
        assert file.getparams()[:4] == (1, 2, 8000, 3)
        assert file.readframes(3) == samples.tobytes()
