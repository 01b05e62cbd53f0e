import numpy as np
import pytest
from scipy import optimize

from ftaug.statistics.minimize import minimize


def test_a_quadratic_is_solved():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(12, 12))
    matrix, b = a @ a.T + 0.1 * np.eye(12), rng.normal(size=12)
    x = minimize(lambda x: (x @ matrix @ x / 2 - b @ x, matrix @ x - b), np.zeros(12))
    assert x == pytest.approx(np.linalg.solve(matrix, b), abs=1e-5)


def test_rosenbrock_is_solved():
    x = minimize(lambda x: (optimize.rosen(x), optimize.rosen_der(x)), np.array([-1.2, 1.0, 0.3]))
    assert x == pytest.approx(np.ones(3), abs=1e-5)


def test_the_minimum_stays():
    assert (minimize(lambda x: (x @ x, 2 * x), np.zeros(3)) == 0).all()
