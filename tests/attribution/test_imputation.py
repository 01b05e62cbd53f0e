import numpy as np
import pytest

from ftaug.attribution.imputation import impute


def solved(pixels, removed):
    """The linear system of the imputation, solved as a whole."""
    height, width = removed.shape
    system, values = np.eye(height * width), pixels.reshape(-1, 3).astype(float)
    for row, column in np.argwhere(removed):
        here = row * width + column
        weights = {}
        for down in (-1, 0, 1):
            for across in (-1, 0, 1):
                inside = 0 <= row + down < height and 0 <= column + across < width
                if inside and (down or across):
                    weights[(row + down) * width + column + across] = 1 / 12 if down and across else 1 / 6
        values[here] = 0
        for there, weight in weights.items():
            system[here, there] = -weight / sum(weights.values())
    return np.linalg.solve(system, values).reshape(pixels.shape)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_it_solves_the_linear_system(share):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (14, 11, 3)).astype(np.uint8)
    removed = rng.random((14, 11)) < share
    error = np.abs(impute(pixels, removed, 0, rng) - solved(pixels, removed))
    assert error.mean() < 3  # of 255; the relaxation stops early
    assert error.max() < 12


def test_a_removed_block_does_not_show_where_it_was():
    monochrome = np.full((24, 24, 3), 100, np.uint8)
    pixels = monochrome.copy()
    pixels[4:12, 6:20] = 255
    removed = np.zeros((24, 24), bool)
    removed[4:12, 6:20] = True
    imputed = impute(pixels, removed, 2.5, np.random.default_rng(0))
    assert np.abs(imputed - 100).max() < 15  # the noise
    assert imputed[removed].std() == pytest.approx(2.5, rel=0.2)
    assert (imputed[~removed] == 100).all()


def test_everything_can_be_removed():
    assert impute(np.full((5, 4, 3), 7, np.uint8), np.ones((5, 4), bool), 1, np.random.default_rng(0)).shape == (
        5,
        4,
        3,
    )
