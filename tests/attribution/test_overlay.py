import numpy as np

from ftaug.attribution.overlay import DARKEST, LIGHTEST, overlay
from ftaug.documents.palette import LOWERS, RAISES


def test_colors_show_the_sign_and_their_strength_the_size():
    pixels = np.full((2, 4, 3), 128, np.uint8)
    values = np.array([[0.0, 1.0, 2.0, -2.0], [0.0, 0.0, 0.0, 0.0]])
    shown = overlay(pixels, values)
    gray = shown[0, 0].astype(int)
    assert np.ptp(gray) == 0
    weak, strong, lowers = (shown[0, column].astype(int) for column in (1, 2, 3))
    assert np.abs(strong - RAISES).sum() < np.abs(weak - RAISES).sum() < np.abs(gray - RAISES).sum()
    assert np.abs(lowers - LOWERS).sum() < np.abs(gray - LOWERS).sum() / 2


def test_cropped_parts_are_faded_and_a_map_of_zeros_is_the_gray_image():
    pixels = np.array([[[0] * 3, [255] * 3]], np.uint8)
    assert overlay(pixels, np.zeros((1, 2))).tolist() == [[[DARKEST] * 3, [LIGHTEST] * 3]]
    faded = overlay(pixels, np.full((1, 2), np.nan))
    assert faded.min() > 150
    assert faded[0, 0, 0] < faded[0, 1, 0]
