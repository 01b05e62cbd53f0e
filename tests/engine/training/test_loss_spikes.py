"""Spikes are found among noisy losses, and noise is none."""

import numpy as np
import pytest

from ftaug.engine.training.loss_spikes import LEAST, WINDOW, spike, with_loss

NOISY = np.random.default_rng(0).lognormal(0.0, 0.3, 500).tolist()


def spikes(losses):
    recent, found = [], []
    for number, loss in enumerate(losses):
        if spike(recent, loss) is not None:
            found.append(number)
        recent = with_loss(recent, loss)
    return found


def test_noise_is_no_spike():
    assert spikes(NOISY) == []
    falling = (np.geomspace(5, 1e-4, 500) * NOISY).tolist()
    assert spikes(falling) == []


def test_losses_near_zero_that_vary_by_orders_of_magnitude():
    heavy = np.random.default_rng(1).lognormal(-8.0, 2.0, 500).tolist()
    assert len(spikes(heavy)) <= 10  # the median alone would note a fifth of them
    assert sum(loss > 5 * np.median(heavy) for loss in heavy) > 80


@pytest.mark.parametrize("place", [LEAST, 100, 499])
def test_a_spike_is_found_once(place):
    losses = [*NOISY]
    losses[place : place + 3] = [50.0] * len(losses[place : place + 3])
    assert spikes(losses) == [place]
    assert spike(losses[:place][-WINDOW:], 50.0) == pytest.approx(np.median(losses[:place][-WINDOW:]))


def test_too_few_losses_and_losses_without_a_sign():
    assert spike([1.0] * (LEAST - 1), 100.0) is None
    assert spike([-1.0] * LEAST, 100.0) is None


def test_the_window_is_limited():
    recent = []
    for number in range(WINDOW + 5):
        recent = with_loss(recent, float(number))
    assert recent == [float(number) for number in range(5, WINDOW + 5)]
