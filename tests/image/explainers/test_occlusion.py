import numpy as np
import pytest
from explained import linear_output, pixels

from ftaug.image.explainers.occlusion import occlusion


def test_of_a_linear_network_it_is_the_weight_times_the_difference_from_the_mean_color():
    output, sample = linear_output(8, 16), pixels(8, 16)
    values = occlusion(output, sample, cells=4).values
    image = sample.float()
    mean = image.mean(dim=(2, 3), keepdim=True).round()
    by_pixel = ((image - mean)[0] * output.model.weights).sum(dim=0).detach().numpy()
    assert values.shape == (4, 8)
    assert values == pytest.approx(by_pixel.reshape(4, 2, 8, 2).sum(axis=(1, 3)), abs=1e-3)
    assert np.ptp(values) > 0
