"""The report of a search: which settings mattered, and all trials."""

import math
from pathlib import Path

from planted_search import searched, simulate

from ftaug.runs.search.plan import SearchPlan
from ftaug.runs.search.report import axes_of, importance, write_report
from ftaug.runs.search.search import Outcome
from ftaug.runs.search.trials import trials_of
from ftaug.runs.study.study_run import Failure


def by_rate(spec):
    if spec.facts["trial"] == 4:
        return Failure(3, "diverged")
    return 1 - abs(math.log10(spec.facts["values"]["lr.peak"]) + 2) / 4


def test_the_planted_setting_matters_and_the_other_does_not(tmp_path):
    plan = SearchPlan(searched(tmp_path, "{trials: 32, confirm: null}"))
    shares = importance(plan, trials_of(simulate(plan, by_rate)))
    assert shares["lr.peak"] > 0.6
    assert shares["train.ema"] < 0.2


def test_the_report_shows_trials_importance_and_history(tmp_path):
    plan = SearchPlan(searched(tmp_path, "{trials: 8, confirm: null}"))
    trials = trials_of(simulate(plan, by_rate))
    (best,) = plan.finalists(trials)
    page = write_report(Outcome(tmp_path, plan, trials, best, Path("best.yaml"), None)).read_text()
    for text in (
        "Best trial",
        "Which settings mattered",
        "All trials",
        "History",
        "exit code 3",
        "ftaug train best.yaml",
    ):
        assert text in page
    assert page.count("<svg") == 2
    assert (tmp_path / "report" / "parallel.png").is_file()
    assert [len(axis.values) for axis in axes_of(plan, trials)] == [7, 7, 7]  # without the failed one
