import numpy as np
import pytest
from predictions import from_classes, multi_label, regression, single_label
from reported_runs import reported
from scipy.stats import binomtest

from ftaug.interfaces.document import Section
from ftaug.runs.run_report.verdict import majority_share, verdict


def test_it_has_the_interval_and_what_it_is_to_be_compared_with():
    records = single_label(n=359, classes=4)
    right = int((records.predictions.argmax(axis=1) == records.targets).sum())
    low, high = binomtest(right, 359).proportion_ci(0.95, "wilson")
    majority = (records.targets == 0).mean()
    expected = f"accuracy {right / 359:.3f} [{low:.3f}–{high:.3f}] on 359 test samples; majority class {majority:.2f}"
    assert verdict(reported(records)) == expected


def test_the_majority_is_that_of_training():
    records = single_label(n=50, classes=3)
    run = reported(records, facts={"class_counts": [1, 2, 9]})
    assert majority_share(run) == pytest.approx((records.targets == 2).mean())
    rare = from_classes([0] * 199 + [1], [0] * 199 + [1])
    assert "majority class 0.005" in verdict(reported(rare, facts={"class_counts": [1, 2, 1]}))


def test_validation_says_that_it_chose_the_checkpoint_and_what_was_there_before():
    run = reported(single_label(), split="val")
    sections = [Section("data", "Data", []), Section("invariance", "", [], {"samples": 94, "accuracy_before": 0.881})]
    assert "on 200 validation samples, which chose the checkpoint; " in verdict(run, sections)
    assert verdict(run, sections).endswith("; before training 0.88 on 94 of them")
    assert "before training" not in verdict(run, sections[:1])
    assert "before training" not in verdict(reported(regression(), best="loss"), sections)


def test_folds_are_predicted_out_of_fold():
    run = reported(single_label(), split="val", is_folds=True)
    assert "on 200 validation samples, predicted out of fold" in verdict(run)


def test_few_errors_are_said():
    records = single_label(n=60, lean=9)
    assert verdict(reported(records)).endswith("few errors, so the interval is rough")


def test_numbers_are_compared_with_the_mean():
    records = regression(n=100, numbers=1)
    spread = float(np.sqrt(((records.targets - records.targets.mean()) ** 2).mean()))
    assert verdict(reported(records, best="loss")).endswith(f"; always the mean {spread:.3f}")


def test_several_labels_have_no_majority():
    assert "majority" not in verdict(reported(multi_label()))
