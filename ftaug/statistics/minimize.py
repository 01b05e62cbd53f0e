"""Minimize a smooth convex function by L-BFGS."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

MEMORY = 10
STEPS = 500
TOLERANCE = 1e-8
SUFFICIENT = 1e-4


def minimize(function: Callable[[np.ndarray], tuple[float, np.ndarray]], start: np.ndarray) -> np.ndarray:
    """Return the minimum of a function that returns its value and gradient (Nocedal and Wright 2006, section 7.2)."""
    x, (value, gradient) = start, function(start)
    history: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=MEMORY)
    for _ in range(STEPS):
        if np.abs(gradient).max(initial=0.0) < TOLERANCE:
            break
        direction = -_inverse_hessian_product(gradient, history)
        slope, length = float(direction @ gradient), 1.0
        while True:  # backtracking
            candidate = x + length * direction
            new_value, new_gradient = function(candidate)
            if new_value <= value + SUFFICIENT * length * slope:
                break
            length /= 2
            if length < 1e-12:  # no more to be gained in floating point
                return x
        step, gradient_change = candidate - x, new_gradient - gradient
        if step @ gradient_change > 0:
            history.append((step, gradient_change))
        x, value, gradient = candidate, new_value, new_gradient
    return x


def _inverse_hessian_product(gradient: np.ndarray, history: deque[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    result, factors = gradient.copy(), []
    for step, gradient_change in reversed(history):
        factor = (step @ result) / (step @ gradient_change)
        result -= factor * gradient_change
        factors.append(factor)
    if history:
        step, gradient_change = history[-1]
        result *= (step @ gradient_change) / (gradient_change @ gradient_change)
    else:
        result /= max(1.0, float(np.linalg.norm(gradient)))
    for (step, gradient_change), factor in zip(history, reversed(factors), strict=True):
        result += step * (factor - (gradient_change @ result) / (step @ gradient_change))
    return result
