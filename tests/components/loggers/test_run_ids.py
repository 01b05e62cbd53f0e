"""A continued run has the id of its start in each tracker, and a new run has none."""

from logged_runs import logged_run

from ftaug.components.loggers.run_ids import keep_run_id, run_id


def test_ids_are_those_of_the_start(tmp_path):
    new, continued = logged_run(tmp_path), logged_run(tmp_path, step=5)
    assert run_id(continued, "wandb") is None
    keep_run_id(new, "wandb", "abc")
    keep_run_id(new, "mlflow", "def")
    assert (run_id(continued, "wandb"), run_id(continued, "mlflow")) == ("abc", "def")
    assert run_id(new, "wandb") is None
