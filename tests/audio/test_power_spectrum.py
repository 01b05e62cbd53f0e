"""The power spectrum of frames: the transform and the exported product against NumPy."""

import numpy as np
import pytest
import torch
from sounds import noise, tone

from ftaug.audio.front_ends import FRONT_ENDS, front_end
from ftaug.audio.power_spectrum import PowerSpectrum

each = pytest.mark.parametrize("name", FRONT_ENDS)


def expected(form, wave, count):
    """Each frame by itself, in float64."""
    spectra = []
    for number in range(count):
        frame = wave[number * form.hop :][: form.frame].astype(np.float64)
        if form.emphasized:
            frame = frame - frame.mean()
            frame = frame - 0.97 * np.concatenate([frame[:1], frame[:-1]])
        spectra.append(np.abs(np.fft.rfft(frame * form.window, form.fft)) ** 2)
    return np.array(spectra)


@each
@pytest.mark.parametrize("rate", [8000, 16_000, 44_100])
@pytest.mark.parametrize("offset", [0.0, 0.3])
def test_they_are_those_of_numpy(name, rate, offset):
    form = front_end(name, rate, 40)
    waves = np.stack([noise(0.5, rate) + offset, tone(440, 0.5, rate)]).astype(np.float32)
    spectra = PowerSpectrum(form)(torch.from_numpy(waves), 20)
    for wave, computed in zip(waves, spectra.numpy(), strict=True):
        reference = expected(form, wave, 20)
        np.testing.assert_allclose(computed, reference, atol=1e-6 * reference.max())


class OfFrames(torch.nn.Module):
    """The spectra of a number of frames, with one input."""

    def __init__(self, form, count):
        super().__init__()
        self.spectrum, self.count = PowerSpectrum(form), count

    def forward(self, wave):
        return self.spectrum(wave, self.count)


@pytest.mark.parametrize(
    ("name", "rate", "samples"),
    [("kaldi", 16_000, 8000), ("ast", 8000, 8001), ("whisper", 22_050, 7999), ("slaney", 16_000, 8120)],
)
def test_an_exported_product_is_equal_to_the_transform(name, rate, samples):
    form = front_end(name, rate, 40)
    reach = samples - form.frame if not form.centered else samples - max(form.fft, form.frame)
    module = OfFrames(form, 1 + reach // form.hop)
    waves = torch.from_numpy(noise(samples / 16_000).reshape(1, -1) * np.ones((2, 1), np.float32))
    program = torch.export.export(module, (waves,))
    operators = {str(node.target) for node in program.graph.nodes}
    assert not any("fft" in operator or "unfold" in operator for operator in operators)
    spectra = module(waves)
    torch.testing.assert_close(program.module()(waves), spectra, atol=1e-6 * float(spectra.max()), rtol=0)


def test_they_are_differentiable():
    wave = torch.from_numpy(noise(0.1))[None].double().requires_grad_()
    module = PowerSpectrum(front_end("kaldi", 16_000, 40)).double()
    assert torch.autograd.gradcheck(lambda wave: module(wave, 2).sum(), (wave,), fast_mode=True)
