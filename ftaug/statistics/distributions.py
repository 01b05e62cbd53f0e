"""The beta, Student and binomial distributions, in plain Python: NumPy has no special functions."""

from __future__ import annotations

import math
from functools import cache
from statistics import NormalDist

TINY = 1e-300
TERMS = 10_000


def normal_cdf(z: float) -> float:
    """Cumulative distribution function of the standard normal distribution, accurate in the lower tail."""
    return math.erfc(-z / math.sqrt(2)) / 2


def normal_quantile(share: float) -> float:
    """Quantile of the standard normal distribution, for 0 < share < 1."""
    return NormalDist().inv_cdf(share)


def beta_cdf(x: float, a: float, b: float) -> float:
    """Regularized incomplete beta function I_x(a, b): Lentz's continued fraction (Numerical Recipes, section 6.4)."""
    if x <= 0 or x >= 1:
        return float(x > 0)
    if x > (a + 1) / (a + b + 2):  # where the fraction converges slowly, use the symmetry
        return 1 - beta_cdf(1 - x, b, a)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(log_front) * _continued_fraction(x, a, b) / a


def _continued_fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, _reciprocal(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = _reciprocal(1 + term * d)
            c = 1 + term / c
            value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value


def _reciprocal(value: float) -> float:
    return 1 / (value if abs(value) > TINY else TINY)


def beta_quantile(share: float, a: float, b: float) -> float:
    """Quantile of the beta distribution, by bisection."""
    low, high = 0.0, 1.0
    while high - low > 1e-15 * high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if beta_cdf(middle, a, b) < share else (low, middle)
    return (low + high) / 2


def student_cdf(t: float, degrees: float) -> float:
    """Cumulative distribution function of Student's t distribution; infinite degrees of freedom: the normal one."""
    if math.isinf(degrees):
        return normal_cdf(t)
    tail = beta_cdf(degrees / (degrees + t * t), degrees / 2, 0.5) / 2
    return tail if t < 0 else 1 - tail


@cache  # the intervals of an evaluation share their degrees of freedom
def student_quantile(share: float, degrees: float) -> float:
    """Quantile of Student's t distribution, for 0 < share < 1; infinite degrees of freedom: the normal one."""
    if math.isinf(degrees):
        return normal_quantile(share)
    if share == 0.5:
        return 0.0
    x = beta_quantile(2 * min(share, 1 - share), degrees / 2, 0.5)
    return math.copysign(math.sqrt(degrees * (1 - x) / x), share - 0.5)


def binomial_cdf(successes: int, trials: int, probability: float) -> float:
    """Probability of at most so many successes in independent trials."""
    if successes >= trials:
        return 1.0
    return beta_cdf(1 - probability, trials - successes, successes + 1) if successes >= 0 else 0.0
