"""`ftaug train`: run an experiment from where it is to its end."""

import json as json_format
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ftaug import plots, screen
from ftaug.config.dump import digest, to_yaml
from ftaug.config.experiment import Experiment
from ftaug.engine import checkpoint
from ftaug.engine.fit import fit
from ftaug.engine.portion import portions
from ftaug.engine.run_folder import RunFolder, default_path
from ftaug.engine.setup import build
from ftaug.engine.signals import StopRequests
from ftaug.errors import BadData, ExperimentError, Interrupted, Stopped
from ftaug.load import load
from ftaug.requirements import Requirement, check
from ftaug.run import MODEL_FILE, describe_model
from ftaug.session import Session
from ftaug.ticker import Ticker


def run(
    config: Path,
    overrides: Sequence[str],
    run_dir: Path | None,
    fresh: bool,
    from_: Path | None,
    json: bool,
    require: Sequence[str],
    requeue_exit_code: int,
    trust_plugins: bool,
    device: str,
) -> int:
    """Train, or continue, or say that all is done. Returns the exit code; stdout's last line is the run folder."""
    started = time.time()
    requirements = [Requirement.parse(text) for text in require]
    experiment = load(config, [*overrides, *_starting_weights(from_, config, overrides)])
    path = default_path(experiment.name, digest(experiment), run_dir)
    given = Path(config).read_text(encoding="utf-8-sig")
    with RunFolder.open(
        path, experiment_yaml=given, resolved_yaml=to_yaml(experiment), digest=digest(experiment), fresh=fresh
    ) as folder:
        if folder.complete is None:
            limit = experiment.train.max_time
            with StopRequests(deadline=started + limit.seconds if limit else None) as stop:
                try:
                    train(experiment, folder, device, stop)
                except Stopped as error:
                    print(error, file=sys.stderr)
                    return requeue_exit_code
        else:
            screen.console().print(f"already complete: {folder.path}")
        result = folder.complete or {}
        print(json_format.dumps({"run": str(folder.path), **result}) if json else folder.path)
        check(requirements, result.get("metrics") or {})
    return 0


def _starting_weights(from_: Path | None, config: Path, overrides: Sequence[str]) -> list[str]:
    """The override that starts the backbone from another run's best weights."""
    if from_ is None:
        return []
    weights = Path(from_, "best", "model.safetensors").absolute()
    if not weights.is_file():
        raise ExperimentError(f"--from {from_}: has no best/model.safetensors; name a run folder that `ftaug train` wrote")
    return [f"backbone.{load(config, overrides).backbone.name}.weights={json_format.dumps(str(weights))}"]


def train(experiment: Experiment, folder: RunFolder, device: str, stop: StopRequests) -> None:
    """Build or restore the run, train to the end and leave a complete run folder; raises Stopped, Interrupted."""
    found = checkpoint.newest(folder.checkpoints)
    setup = build(experiment, device, portions(experiment.data, experiment.seed), pretrained=found is None)
    session = Session.begin(setup, folder) if found is None else Session.resume(setup, folder, found)
    folder.write(MODEL_FILE, json_format.dumps(describe_model(setup), indent=1) + "\n")
    console = screen.console()
    console.print(screen.before(setup, folder.path, session.origin))
    with Ticker(setup.horizon.total_steps, session.progress.step, setup.horizon.epoch_steps) as ticker:
        session.catch_up(stop, ticker)
        if stop.reason is None and not session.finished:
            for step in fit(setup, session.progress):
                session.take(step, stop, ticker)
                if stop.reason is not None or session.finished:
                    break
        session.save()
    if stop.reason is not None and not session.finished:
        _stop(stop.reason, session, folder)
    finish(session, folder)


def _stop(reason: str, session: Session, folder: RunFolder) -> None:
    place = f"step {session.progress.step} of {session.setup.horizon.total_steps}"
    text = f"stopped by {reason} at {place}, saved in {folder.path}; the same command continues"
    raise Interrupted(text) if reason == "Ctrl-C" else Stopped(text)


def finish(session: Session, folder: RunFolder) -> None:
    """Say how it went, draw the curves and mark the run folder as complete."""
    rows = folder.read_metrics()
    console = screen.console()
    evaluations = session.evaluations(rows)
    console.print(screen.after(evaluations, session.progress.best_step))
    curves = plots.curves(folder.path)
    best = session.best(evaluations)
    folder.finish(session.progress.step, best)
    run = folder.path
    console.print(f"{session.ending}; best: {_figures(best)}\ncurves: {curves}")
    console.print(f"next: ftaug evaluate {run} · ftaug predict {run} PICTURE … · ftaug export {run} --format onnx")


def _figures(best: dict[str, Any]) -> str:
    metrics = ", ".join(f"{name} {value:.4f}" for name, value in (best.get("metrics") or {}).items())
    return f"step {best['step']}" + (f" ({metrics})" if metrics else "")
