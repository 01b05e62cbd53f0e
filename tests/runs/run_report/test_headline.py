import pytest
from predictions import multi_label, regression, single_label
from reported_runs import reported

from ftaug.runs.run_report.headline import chosen_by, headline, headline_name


@pytest.mark.parametrize(
    ("records", "best", "name"),
    [
        (single_label(), "accuracy", "accuracy"),
        (single_label(), "my_metric", "accuracy"),
        (single_label(), "loss", "nll"),
        (multi_label(), "my_metric", "f1_macro"),
        (regression(), "loss", "rmse"),
        (regression(), "mae", "mae"),
    ],
)
def test_it_is_the_metric_that_chose_the_checkpoint_if_it_has_an_interval(records, best, name):
    run = reported(records, best=best)
    assert headline_name(run.settings) == name
    assert headline(run.settings, run.results["intervals"]).name == name
    assert chosen_by(run.settings) == best


def test_a_metric_that_large_splits_leave_out_is_replaced():
    run = reported(single_label(), best="auroc_macro")
    intervals = {"accuracy": {"value": 0.5}}
    assert headline(run.settings, intervals).value == 0.5
