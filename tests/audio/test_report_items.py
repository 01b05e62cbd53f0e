"""Sounds in reports."""

from sounds import clip, tone

from ftaug.audio.report_items import report_item


def test_is_a_captioned_picture():
    item = report_item(clip(tone()), "a tone")
    assert item.media_type in ("image/png", "image/jpeg") and len(item.content) > 100
    assert (item.caption, item.alt) == ("a tone", "spectrogram: a tone")
