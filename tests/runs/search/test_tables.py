"""Tables of a search."""

from planted_search import searched, simulate

from ftaug.runs.report.console import PlainConsole
from ftaug.runs.search.plan import SearchPlan
from ftaug.runs.search.tables import status_lines, table
from ftaug.runs.search.trials import trials_of
from ftaug.runs.study.study_run import Failure, StudyRun


def test_every_trial_has_a_row_with_its_result_or_state(tmp_path):
    plan = SearchPlan(searched(tmp_path, "{trials: 3, ladder: {steps: [10%, 100%], keep: 10%}, confirm: null}"))

    def objective(spec):
        return Failure(3, "loss is nan\nmore") if spec.facts["trial"] == 1 else 0.5 + spec.facts["step"] / 4

    runs = simulate(plan, objective)
    runs[2] = StudyRun(runs[2].spec, runs[2].path)
    trials = trials_of(runs)
    lines = PlainConsole(width=80).lines(table(plan, trials))
    assert lines[1].split() == ["trial", "accuracy", "epochs", "lr.peak", "train.ema"]
    assert lines[3].split()[:3] == ["0", "0.7500", "10"]
    assert lines[4].split()[:4] == ["1", "exit", "code", "3"]
    assert lines[5].split()[:3] == ["2", "running", "1"]
    assert max(map(len, lines)) <= 80
    assert status_lines(plan, trials, 3) == [
        "3 of 4 runs are finished, 0 in training",
        "trial 1 failed: loss is nan",
    ]
