"""`ftaug train`: run an experiment from where it is to its end."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ftaug.config.dump import digest, to_yaml, with_kept_plugins
from ftaug.config.experiment import Experiment
from ftaug.errors import ExperimentError, FtaugError, Stopped
from ftaug.load import load
from ftaug.runs.requirements import Requirement, check

if TYPE_CHECKING:
    from ftaug.engine.run_folder import RunFolder


def run(
    config: Path,
    overrides: Sequence[str],
    run_dir: Path | None,
    fresh: bool,
    from_: Path | None,
    as_json: bool,
    require: Sequence[str],
    requeue_exit_code: int,
    trust_plugins: bool,
    device: str,
) -> int:
    """Train, or continue, or say that all is done. Returns the exit code; stdout's last line is the run folder."""
    started = time.time()
    requirements = [Requirement.parse(text) for text in require]
    start = _starting_weights(from_, config, overrides, trust_plugins)
    experiment = load(config, [*overrides, *start], trust_plugins=trust_plugins)

    from ftaug.engine.run_folder import (
        RunFolder,
        default_path,
    )  # after the file is known to be right: this takes seconds

    path = default_path(experiment.name, digest(experiment), run_dir)
    given = config.read_text(encoding="utf-8-sig")
    portable, kept = with_kept_plugins(experiment)
    with RunFolder.open(
        path,
        experiment_yaml=given,
        resolved_yaml=to_yaml(portable),
        digest=digest(experiment),
        kept=kept,
        fresh=fresh,
    ) as folder:
        if folder.complete is None:
            try:
                _train(experiment, folder, device, started)
            except Stopped as error:
                print(error, file=sys.stderr)
                return requeue_exit_code
            except FtaugError:
                folder.abandon()
                raise
            except Exception as error:
                error.run_folder = folder.path  # type: ignore[attr-defined]  # where a defect leaves its traceback
                raise
        else:
            print(f"already complete: {folder.path}", file=sys.stderr)
        result = folder.complete or {}
        print(json.dumps({"run": str(folder.path), **result}) if as_json else folder.path)
        check(requirements, result.get("metrics") or {})
    return 0


def _train(experiment: Experiment, folder: RunFolder, device: str, started: float) -> None:
    from ftaug.engine.signals import StopRequests
    from ftaug.runs.training import train

    limit = experiment.train.max_time
    with StopRequests(started + limit.seconds if limit else None, folder.path / "stop") as stop:
        train(experiment, folder, device, stop)


def _starting_weights(from_: Path | None, config: Path, overrides: Sequence[str], trust_plugins: bool) -> list[str]:
    """The override that starts the backbone from another run's best weights."""
    if from_ is None:
        return []
    if (Path(from_) / "resolved.yaml").is_file():
        method = load(Path(from_) / "resolved.yaml", trust_plugins=trust_plugins).method
        if method is not None and method.fact("learns") != "all":
            from ftaug.runs.merged import merged_weights

            return [_weights_of(config, overrides, trust_plugins, merged_weights(from_, trust_plugins=trust_plugins))]
    kept = (Path(from_, "best", name).absolute() for name in ("ema.safetensors", "model.safetensors"))
    weights = next((path for path in kept if path.is_file()), None)
    if weights is None:
        raise ExperimentError(f"--from {from_}: has no best checkpoint; name a run folder that `ftaug train` wrote")
    return [_weights_of(config, overrides, trust_plugins, weights)]


def _weights_of(config: Path, overrides: Sequence[str], trust_plugins: bool, weights: Path) -> str:
    backbone = load(config, overrides, trust_plugins=trust_plugins).backbone
    return f"backbone.{backbone.name}.weights={json.dumps(str(weights))}"
