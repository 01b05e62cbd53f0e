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
        moved, change = candidate - x, new_gradient - gradient
        if moved @ change > 0:
            history.append((moved, change))
        x, value, gradient = candidate, new_value, new_gradient
    return x


def _inverse_hessian_product(gradient: np.ndarray, history: deque[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    result, factors = gradient.copy(), []
    for moved, change in reversed(history):
        factor = (moved @ result) / (moved @ change)
        result -= factor * change
        factors.append(factor)
    if history:
        moved, change = history[-1]
        result *= (moved @ change) / (change @ change)
    else:
        result /= max(1.0, float(np.linalg.norm(gradient)))
    for (moved, change), factor in zip(history, reversed(factors), strict=True):
        result += moved * (factor - (change @ result) / (moved @ change))
    return result
