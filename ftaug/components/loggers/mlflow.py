"""Log to MLflow."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ftaug.components.loggers.run_ids import keep_run_id, run_id
from ftaug.config.kinds import logger
from ftaug.config.strict_json import dumps
from ftaug.config.types import Text
from ftaug.errors import missing_extra
from ftaug.interfaces.logger import LoggedRun, Logger, Status

STATUSES = {"finished": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}

MOST_PARAMETERS = 100
"""Number of parameters that MLflow takes at once."""

SERVER_IS_AWAY = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "20"}
"""Environment variables of MLflow, so that a server that does not answer delays training by seconds."""

LONGEST = 500
"""Number of characters of a parameter that every MLflow takes."""


class _MlflowRun:
    def __init__(self, client: Any, number: str) -> None:
        self._client, self._id = client, number

    def log(self, step: int, values: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self._client.log_batch(self._id, metrics=[Metric(tag, float(v), now, step) for tag, v in values.items()])

    def image(self, name: str, path: Path) -> None:
        self._client.log_artifact(self._id, str(path), "plots")

    def close(self, status: Status) -> None:
        self._client.set_terminated(self._id, STATUSES[status])


@logger.register
def mlflow(run: LoggedRun, *, tracking_uri: Text | None = None, experiment: Text = "ftaug") -> Logger:
    """Log to MLflow: figures, the settings as parameters, and plots as artifacts.

    Settings:
        tracking_uri: the address of a server or database, or a folder such as `mlruns`; unless set the environment
            variable MLFLOW_TRACKING_URI, or as MLflow chooses
        experiment: the MLflow experiment that the run is in; it is created if it is missing

    A run that continues continues its MLflow run.
    """
    if tracking_uri is not None and "://" not in tracking_uri:
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # MLflow 3 refuses folders without it
        tracking_uri = str(Path(tracking_uri).absolute())
    for name, value in SERVER_IS_AWAY.items():
        os.environ.setdefault(name, value)
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    try:
        from mlflow.entities import Param
        from mlflow.tracking import MlflowClient
    except ImportError:
        raise missing_extra("logger 'mlflow'", "mlflow", "mlflow") from None
    client = MlflowClient(tracking_uri=tracking_uri)
    known = run_id(run, "mlflow")
    if known is not None:
        client.update_run(known, status="RUNNING")
        return _MlflowRun(client, known)
    place = client.get_experiment_by_name(experiment)
    number = client.create_experiment(experiment) if place is None else place.experiment_id
    created = client.create_run(number, run_name=run.name, tags={"run_folder": str(run.folder.absolute())})
    keep_run_id(run, "mlflow", created.info.run_id)
    parameters = [Param(key, text[:LONGEST]) for key, text in flat(run.settings)]
    for start in range(0, len(parameters), MOST_PARAMETERS):
        client.log_batch(created.info.run_id, params=parameters[start : start + MOST_PARAMETERS])
    return _MlflowRun(client, created.info.run_id)


def flat(settings: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the settings as dotted keys with texts: `{train: {epochs: 3}}` as `train.epochs`, 3."""
    if isinstance(settings, Mapping) and settings:
        for key, value in settings.items():
            yield from flat(value, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(settings, list) and settings:
        for index, value in enumerate(settings):
            yield from flat(value, f"{prefix}.{index}")
    else:
        yield prefix, settings if isinstance(settings, str) else dumps(settings)
