from collections import Counter

import numpy as np
from reported import reported_on
from sklearn.metrics import confusion_matrix

from ftaug.runs.run_report import confused_pairs

CLASSES = ("cat", "dog", "fox")


def predictions_of(predicted, confidence=0.6):
    rows = np.full((len(predicted), 3), (1 - confidence) / 2)
    rows[np.arange(len(predicted)), predicted] = confidence
    return rows


def test_pairs_are_those_of_the_confusion_matrix():
    rng = np.random.default_rng(0)
    targets, predicted = rng.integers(0, 3, 200), rng.integers(0, 3, 200)
    pairs = confused_pairs.find_confused_pairs(reported_on(predictions_of(predicted), targets).records)
    matrix = confusion_matrix(targets, predicted)
    expected = Counter({(a, b): matrix[a, b] + matrix[b, a] for a in range(3) for b in range(a)})
    assert [pair.count for pair in pairs] == sorted(expected.values(), reverse=True)
    for pair in pairs:
        first, second = pair.classes
        assert [len(rows) for rows in pair.mistaken] == [matrix[first, second], matrix[second, first]]
        assert matrix[first, second] >= matrix[second, first]


def test_samples_of_both_directions_and_recognized_ones():
    #          cat→dog ×2       dog→cat    right
    targets = [0, 0, 1, 0, 1, 2]
    predictions = predictions_of([1, 1, 0, 0, 1, 2])
    predictions[1] = [0.1, 0.9, 0.0]
    section = confused_pairs.confused_pairs(reported_on(predictions, targets))
    text, table, *galleries = section.blocks
    assert text.text == "1 pair of classes is confused. Below each sample is the probability of the predicted class."
    assert table.rows == [("cat – dog", "3", "2 of 3", "1 of 2")]
    assert [(gallery.caption, [item.caption for item in gallery.items]) for gallery in galleries] == [
        ("cat predicted as dog (2)", ["0.90; 1.png", "0.60; 0.png"]),
        ("dog predicted as cat (1)", ["0.60; 2.png"]),
        ("cat and dog, recognized", ["cat: 0.60; 3.png", "dog: 0.60; 4.png"]),
    ]
    assert section.facts["pairs"] == [
        {
            "classes": ["cat", "dog"],
            "mistakes": 3,
            "first_as_second": ["folder/1.png", "folder/0.png"],
            "second_as_first": ["folder/2.png"],
        }
    ]


def test_of_many_pairs_the_most_confused():
    classes = tuple(f"class {number}" for number in range(12))
    targets = np.arange(12)
    predictions = np.eye(12)[(targets + 1) % 12]
    section = confused_pairs.confused_pairs(reported_on(predictions, targets, classes=classes))
    text, table, *galleries = section.blocks
    assert text.text.startswith(
        "12 pairs of classes are confused. The 10 most confused ones make up 83% of 12 mistakes."
    )
    assert len(table.rows) == 10 and len(galleries) == confused_pairs.SHOWN


def test_no_section_without_a_confusion_or_with_several_labels():
    assert confused_pairs.confused_pairs(reported_on(predictions_of([0, 1]), [0, 1])) is None
    labels = np.array([[1, 0, 0]], np.uint8)
    assert confused_pairs.confused_pairs(reported_on([[0.1, 0.9, 0.1]], labels, multi_label=True)) is None
