import numpy as np
from reported import reported_on

from ftaug.interfaces.document import HighlightedText, Picture
from ftaug.runs.run_report.sample_items import sample_items
from ftaug.text.types import Text


def test_positions_are_shown_in_their_order_and_unreadable_samples_left_out():
    raw = [np.zeros((8, 8, 3), np.uint8), b"no image", np.full((8, 8, 3), 255, np.uint8)]
    run = reported_on(np.eye(3), [0, 1, 2], raw=raw)
    items = sample_items(run, [(2, "white"), (1, "unreadable"), (0, "black")])
    assert [item.caption for item in items] == ["white", "black"]
    assert all(isinstance(item, Picture) for item in items)


def test_texts():
    run = reported_on(np.eye(3)[:1], [0], raw=[Text("a list")], modality="text")
    assert sample_items(run, [(0, "labeled cat")]) == [HighlightedText([("a list", 0.0)], "labeled cat")]
