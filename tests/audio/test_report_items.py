"""Sounds in reports."""

import cv2
import numpy as np
from sounds import clip, preprocessing, tone

from ftaug.audio.report_items import explained_item, report_item
from ftaug.interfaces.explanation import Attribution, Explanation


def test_is_a_captioned_picture():
    item = report_item(clip(tone()), "a tone")
    assert item.media_type in ("image/png", "image/jpeg") and len(item.content) > 100
    assert (item.caption, item.alt) == ("a tone", "spectrogram: a tone")


def test_an_explained_one_has_its_map_below():
    explanation = Explanation("a.wav", clip(tone()), "predicted a", "a", "occlusion", Attribution(np.eye(4)))
    item = explained_item(explanation, preprocessing(), "a tone")
    assert item.caption == "a tone" and "raises the output in orange" in item.alt
    height, width = cv2.imdecode(np.frombuffer(item.content, np.uint8), cv2.IMREAD_COLOR).shape[:2]
    assert height > width == 240
