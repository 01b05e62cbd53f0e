import pytest
from explained import linear_output, output_of, pixels

from ftaug.image.explainers.path import integrated_gradients


def test_of_a_linear_network_it_is_the_weight_times_the_difference_from_the_mean_color():
    output, sample = linear_output(), pixels(8, 8)
    attribution = integrated_gradients(output, sample, steps=2, cells=8)
    image = sample.float()
    expected = ((image - image.mean(dim=(2, 3), keepdim=True))[0] * output.model.weights).sum(dim=0)
    assert attribution.values == pytest.approx(expected.detach().numpy(), abs=1e-3)
    assert attribution.figures["completeness_error"] < 1e-4
    assert attribution.figures["steps"] == 2


def test_values_in_cells_add_up_to_the_change_of_the_output():
    output, sample = output_of("resnet20"), pixels()
    attribution = integrated_gradients(output, sample)
    image = sample.float()
    change = output.scores(image)[0] - output.scores(image.mean(dim=(2, 3), keepdim=True).expand_as(image))[0]
    assert attribution.values.shape == (16, 16)
    error = attribution.figures["completeness_error"]
    assert error < 0.05
    assert attribution.values.sum() == pytest.approx(change, rel=error + 1e-4)
