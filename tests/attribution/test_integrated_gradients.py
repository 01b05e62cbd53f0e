import pytest
import torch

from ftaug.attribution.integrated_gradients import MOST_STEPS, TOLERANCE, integrate


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
    assert path.steps == 4


def test_steps_are_doubled_until_the_values_add_up():
    """The slope lies within a hundredth of the path, where four points miss it."""
    start, difference = torch.zeros(1), torch.ones(1)
    gradients = gradients_of(lambda x: torch.sigmoid(400 * (x - 0.4)).sum(dim=1), start, difference)
    path = integrate(gradients, difference, 1.0, steps=4, chunk=64)
    assert path.steps > 4
    assert path.completeness_error < TOLERANCE
    assert float(path.values) == pytest.approx(1, abs=TOLERANCE)


def test_steps_have_a_limit():
    path = integrate(lambda shares: torch.zeros(len(shares), 1), torch.ones(1), 1.0, steps=100, chunk=1000)
    assert path.completeness_error == 1
    assert path.steps * 2 > MOST_STEPS >= path.steps
