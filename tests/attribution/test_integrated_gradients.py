import pytest
import torch

from ftaug.attribution.integrated_gradients import integrate


def gradients_of(function, start, difference):
    def gradients(shares):
        points = (start + shares.view(-1, 1) * difference).requires_grad_()
        return torch.autograd.grad(function(points).sum(), points)[0]

    return gradients


def test_a_quadratic_function_is_integrated_exactly():
    start, end = torch.tensor([1.0, 0.0, -1.0]), torch.tensor([2.0, 3.0, -1.0])
    weights = torch.tensor([1.0, -2.0, 5.0])
    gradients = gradients_of(lambda x: x**2 @ weights, start, end - start)
    change = float(end**2 @ weights - start**2 @ weights)
    path = integrate(gradients, end - start, change, steps=4, chunk=3)
    assert path.values.tolist() == pytest.approx([3.0, -18.0, 0.0])  # w·(end² - start²)
    assert path.completeness_error == pytest.approx(0, abs=1e-6)


def test_more_steps_have_a_smaller_error():
    """The slope lies within a hundredth of the path, where four points miss it."""
    start, difference = torch.zeros(1), torch.ones(1)
    gradients = gradients_of(lambda x: torch.sigmoid(400 * (x - 0.4)).sum(dim=1), start, difference)
    errors = [integrate(gradients, difference, 1.0, steps, chunk=64).completeness_error for steps in (4, 512)]
    assert errors[0] > 0.9
    assert errors[1] < 0.01
