"""AUROC and average precision under weights and on degenerate data, against scikit-learn with `sample_weight`."""

from functools import partial

import numpy as np
import pytest
from predictions import MULTI, SINGLE, assert_equal
from sklearn import metrics as sk

from ftaug.statistics import ranking_metrics as metrics

RANKING = {"auroc": sk.roc_auc_score, "average_precision": sk.average_precision_score}
EVERY = pytest.mark.parametrize(
    "records", [*SINGLE.values(), *MULTI.values()], ids=[*SINGLE, *(f"labels, {k}" for k in MULTI)]
)


def binary(score, index):
    """scikit-learn's score of a class against the rest; nan where it is not defined."""

    def oracle(r, w):
        positive = r.positive[:, index]
        return score(positive, r.predictions[:, index], sample_weight=w) if 0 < positive.sum() < len(r) else np.nan

    return oracle


def over_classes(score, average):
    def oracle(r, w):
        values = np.array([binary(score, c)(r, w) for c in range(r.classes)])
        shares = w @ r.positive if average == "weighted" else np.ones(r.classes)
        defined = ~np.isnan(values)
        return np.average(values[defined], weights=shares[defined]) if defined.any() else np.nan

    return oracle


@EVERY
def test_averages_are_over_the_classes_that_have_both_sides(records):
    oracles = {f"{name}_{a}": over_classes(score, a) for name, score in RANKING.items() for a in ("macro", "weighted")}
    computed = {
        name: partial(getattr(metrics, name.rpartition("_")[0]), average=name.rpartition("_")[2]) for name in oracles
    }
    assert_equal(records, oracles, computed)


@EVERY
def test_class_metrics_are_sklearns(records):
    for index in range(records.classes):
        oracles = {name: binary(score, index) for name, score in RANKING.items()}
        assert_equal(
            records, oracles, {name: partial(getattr(metrics, f"class_{name}"), index=index) for name in oracles}
        )
