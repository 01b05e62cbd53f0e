"""MLflow gets figures, parameters and plots, and continues its run; by a stand-in, and by MLflow where it is."""

import os
import sys
from types import ModuleType, SimpleNamespace

import pytest
from logged_runs import SETTINGS, logged_run
from PIL import Image

from ftaug.components.loggers.mlflow import flat, mlflow
from ftaug.errors import Unavailable


class Client:
    """What the logger calls of MlflowClient, remembered."""

    def __init__(self, tracking_uri=None):
        self.uri, self.experiments, self.runs = tracking_uri, {}, {}

    def get_experiment_by_name(self, name):
        return self.experiments.get(name)

    def create_experiment(self, name):
        self.experiments[name] = SimpleNamespace(experiment_id=f"id of {name}")
        return f"id of {name}"

    def create_run(self, experiment_id, run_name, tags):
        number = f"run {len(self.runs)}"
        self.runs[number] = SimpleNamespace(experiment=experiment_id, name=run_name, log=[], status="RUNNING")
        return SimpleNamespace(info=SimpleNamespace(run_id=number))

    def log_batch(self, run_id, metrics=(), params=()):
        self.runs[run_id].log += [*metrics, *params]

    def log_artifact(self, run_id, path, folder):
        self.runs[run_id].log.append((folder, os.path.basename(path)))  # noqa: PTH119

    def set_terminated(self, run_id, status):
        self.runs[run_id].status = status

    def update_run(self, run_id, status):
        self.runs[run_id].status = status


@pytest.fixture
def client(monkeypatch):
    """Replace MLflow; return the client that it has."""
    client = Client()
    entities, tracking = ModuleType("mlflow.entities"), ModuleType("mlflow.tracking")
    entities.Metric = lambda key, value, timestamp, step: (key, value, step)
    entities.Param = lambda key, value: (key, value)
    tracking.MlflowClient = lambda tracking_uri: client.__dict__.update(uri=tracking_uri) or client
    for name, module in (("mlflow", ModuleType("mlflow")), ("entities", entities), ("tracking", tracking)):
        monkeypatch.setitem(sys.modules, name if name == "mlflow" else f"mlflow.{name}", module)
    for variable in ("ALLOW_FILE_STORE", "HTTP_REQUEST_MAX_RETRIES", "HTTP_REQUEST_TIMEOUT"):
        monkeypatch.delenv(f"MLFLOW_{variable}", raising=False)
        monkeypatch.setenv(f"MLFLOW_{variable}", "")
        monkeypatch.delenv(f"MLFLOW_{variable}")
    return client


def test_figures_parameters_and_plots(tmp_path, client):
    logger = mlflow(logged_run(tmp_path), tracking_uri="https://tracker", experiment="digits")
    logger.log(3, {"train/loss": 0.5})
    logger.image("curves", tmp_path / "curves.png")
    logger.close("finished")
    (run,) = client.runs.values()
    assert (client.uri, run.experiment, run.name) == ("https://tracker", "id of digits", tmp_path.name)
    assert run.log == [*flat(SETTINGS), ("train/loss", 0.5, 3), ("plots", "curves.png")]
    assert run.status == "FINISHED"
    assert "MLFLOW_ALLOW_FILE_STORE" not in os.environ


def test_a_continued_run_is_the_same_one(tmp_path, client):
    mlflow(logged_run(tmp_path)).close("stopped")
    assert client.runs["run 0"].status == "KILLED"
    mlflow(logged_run(tmp_path, step=4)).log(5, {"lr": 0.1})
    assert len(client.runs) == 1
    assert client.runs["run 0"].status == "RUNNING"
    assert client.runs["run 0"].log == [*flat(SETTINGS), ("lr", 0.1, 5)]
    mlflow(logged_run(tmp_path))
    assert len(client.runs) == 2


def test_a_folder_is_allowed(tmp_path, client, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mlflow(logged_run(tmp_path), tracking_uri="mlruns")
    assert client.uri == str(tmp_path / "mlruns")
    assert os.environ["MLFLOW_ALLOW_FILE_STORE"] == "true"


def test_settings_are_dotted_keys():
    assert dict(flat(SETTINGS)) == {
        "name": "digits",
        "train.epochs": "3",
        "augment.0.rotate.degrees": "15",
        "augment.1": "flip",
        "mix": "null",
    }


def test_without_mlflow_it_is_said_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(Unavailable, match=r"logger 'mlflow' needs mlflow: pip install 'ftaug\[mlflow\]'"):
        mlflow(logged_run(tmp_path))


def test_mlflow_itself(tmp_path):
    tracking = pytest.importorskip("mlflow.tracking")
    Image.new("RGB", (4, 4)).save(tmp_path / "curves.png")
    store = str(tmp_path / "mlruns")
    logger = mlflow(logged_run(tmp_path), tracking_uri=store)
    logger.log(1, {"train/loss": 0.5, "val/accuracy": float("nan")})
    logger.close("stopped")
    logger = mlflow(logged_run(tmp_path, step=1), tracking_uri=store)
    logger.log(2, {"train/loss": 0.25})
    logger.image("curves", tmp_path / "curves.png")
    logger.close("finished")
    client = tracking.MlflowClient(tracking_uri=store)
    (run,) = client.search_runs([client.get_experiment_by_name("ftaug").experiment_id])
    assert run.data.params == dict(flat(SETTINGS))
    history = client.get_metric_history(run.info.run_id, "train/loss")
    assert [(each.step, each.value) for each in history] == [(1, 0.5), (2, 0.25)]
    assert (run.info.status, run.info.run_name) == ("FINISHED", tmp_path.name)
    assert [each.path for each in client.list_artifacts(run.info.run_id, "plots")] == ["plots/curves.png"]
