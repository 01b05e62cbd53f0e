"""Occlusion of a linear network is its weight times the value, cell by cell."""

import numpy as np
from explained_sounds import inputs, linear_output

from ftaug.audio.explainers.occlusion import occlusion


def test_of_a_spectrogram():
    output, sample = linear_output(3, 16, 24), inputs(3, 16, 24)
    values = occlusion(output, sample, cells=4).values
    products = (sample[0] * output.model.weights).sum(dim=0).detach().numpy()
    np.testing.assert_allclose(values, products.reshape(4, 4, 6, 4).sum(axis=(1, 3)), atol=1e-4)


def test_of_a_waveform_whose_length_stays():
    output, sample = linear_output(61), inputs(61)
    values = occlusion(output, sample, cells=3).values
    products = (sample[0] * output.model.weights)[1:].detach().numpy()
    np.testing.assert_allclose(values, products.reshape(1, 6, 10).sum(axis=2), atol=1e-4)
