import numpy as np
import pytest
from predictions import multi_label, single_label

from ftaug.errors import BadData
from ftaug.interfaces.data import Task
from ftaug.statistics.records import KeySums, Records, WeightedRecords, divided, mean_over_classes, require_finite


def test_sums_by_key_are_those_of_bincount():
    rng = np.random.default_rng(0)
    keys, weights = rng.integers(0, 7, 50), rng.random((50, 3))
    expected = np.stack([np.bincount(keys, w, minlength=9) for w in weights.T], axis=1)
    assert KeySums(keys, 9)(weights.T) == pytest.approx(expected)
    assert (KeySums(keys[:0], 4)(weights[:0].T) == np.zeros((4, 3))).all()
    few = keys > 3
    expected = [np.bincount(keys[few], w[few], 9) for w in weights.T]
    assert KeySums(keys[few], 9, few)(weights.T) == pytest.approx(np.transpose(expected))


def test_division_by_zero_has_the_value_asked_for():
    assert divided(np.array([1.0, 2.0]), np.array([0.0, 4.0]), otherwise=9.0) == pytest.approx([9, 0.5])
    assert np.isnan(divided(np.array(1.0), np.array(0.0)))


def test_classes_without_a_value_are_left_out_of_the_mean():
    values = np.array([[1.0, np.nan], [np.nan, np.nan], [3.0, np.nan]])
    assert mean_over_classes(values) == pytest.approx([2, np.nan], nan_ok=True)
    assert mean_over_classes(values, np.array([[3.0], [5.0], [1.0]])) == pytest.approx([1.5, np.nan], nan_ok=True)


@pytest.mark.parametrize("records", [single_label(), multi_label()], ids=["classes", "labels"])
def test_decisions_are_counted_with_their_weights(records):
    weights = np.random.default_rng(0).random((len(records), 4))
    right, predicted, present = WeightedRecords(records, weights).decisions
    assert present == pytest.approx(records.positive.T @ weights)
    assert predicted == pytest.approx(records.decided.T @ weights)
    assert right == pytest.approx((records.decided & records.positive).T @ weights)


def test_labels_are_decided_by_their_thresholds():
    task = Task(("a", "b"), multi_label=True, thresholds=(0.9, 0.1))
    records = Records(task, np.array([[0.8, 0.2]]), np.array([[0, 1]]))
    assert records.decided.tolist() == [[False, True]] and records.correct.tolist() == [True]


def test_rows_are_selected_with_their_groups():
    records = single_label(n=6, groups=np.arange(6) // 2)
    few = records.select(np.array([4, 0]))
    assert len(few) == 2 and few.groups.tolist() == [2, 0]
    assert few.targets.tolist() == records.targets[[4, 0]].tolist()


def test_predictions_that_are_no_numbers_are_an_error():
    records = single_label(n=6)
    records.predictions[2] = np.nan
    with pytest.raises(
        BadData, match="the predictions of 1 of 6 samples are not finite numbers; train with a lower `lr`"
    ):
        require_finite(records)
