"""A run from where it is to its end: build or restore, train, and leave a complete run folder."""

import json
from dataclasses import replace
from typing import Any

from ftaug.config.experiment import Experiment
from ftaug.engine import checkpoint
from ftaug.engine.caching import Cache, caching
from ftaug.engine.features import batches_of, featuring, fill, missing
from ftaug.engine.fit import fit
from ftaug.engine.portion import portions
from ftaug.engine.run_folder import RunFolder
from ftaug.engine.setup import Setup, build
from ftaug.engine.signals import StopRequests
from ftaug.errors import Interrupted, Stopped
from ftaug.runs import plots, screen
from ftaug.runs.opened import MODEL_FILE, describe_model, keep_origin
from ftaug.runs.session import Session
from ftaug.runs.teacher import teacher_of
from ftaug.runs.ticker import Ticker


def train(experiment: Experiment, folder: RunFolder, device: str, stop: StopRequests) -> None:
    """Build or restore the run, train to the end and leave a complete run folder; raises Stopped, Interrupted."""
    found = checkpoint.newest(folder.checkpoints)
    built = build(experiment, device, portions(experiment.data, experiment.seed), pretrained=found is None)
    built.teacher = teacher_of(experiment, built.task, built.backbone, built.device)
    with caching(built) as (setup, cache):
        session = Session.begin(setup, folder) if found is None else Session.resume(setup, folder, found)
        with featuring(setup, session.progress.step) as features:
            session.setup = replace(setup, features=features)
            _train(session, cache, stop)


def _train(session: Session, cache: Cache, stop: StopRequests) -> None:
    """Train from where the session is."""
    setup, folder = session.setup, session.folder
    chosen = {"device": setup.device.torch.type, "precision": setup.device.precision, "workers": setup.workers}
    chosen["threads"] = setup.device.threads
    chosen |= {"cache": cache.place or "off", "augment_on": "cuda" if setup.device.augments else "cpu"}
    kept = keep_origin(setup, folder.path)
    folder.write(MODEL_FILE, json.dumps({**describe_model(setup), **kept, "chosen": chosen}, indent=1) + "\n")
    console = screen.console()
    console.print(screen.before(setup, cache, folder.path, session.origin))
    _store_features(setup, session.progress.step, stop)
    with Ticker(setup.horizon.total_steps, session.progress.step, setup.horizon.epoch_steps) as ticker:
        session.catch_up(stop, ticker)
        if session.goes_on(stop):
            for step in fit(setup, session.progress):
                session.take(step, stop, ticker)
                if not session.goes_on(stop):
                    break
        session.save()
    if not session.finished:
        place = f"step {session.progress.step} of {setup.horizon.total_steps}"
        text = f"stopped by {stop.reason} at {place}, saved in {folder.path}; the same command continues"
        raise Interrupted(text) if stop.reason == "Ctrl-C" else Stopped(text)
    finish(session, folder)


def _store_features(setup: Setup, step: int, stop: StopRequests) -> None:
    """Store what training will need of the frozen prefix from a step on, as far as nobody asks to stop."""
    if setup.features is None:
        return
    needed = missing(setup, setup.features, step)
    total = sum(len(batches_of(setup, purpose, view)) for purpose, view in needed)
    with Ticker(total, 0, unit="batch") as ticker:
        for purpose, view in needed:
            for _ in fill(setup, setup.features, purpose, view):
                ticker.tick()
                ticker.status(f"features of {purpose}, view {view + 1}")
                if stop.reason is not None:
                    return


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
    console.print(f"next: ftaug evaluate {run} · ftaug predict {run} INPUT … · ftaug export {run} --format onnx")


def _figures(best: dict[str, Any]) -> str:
    metrics = ", ".join(f"{name} {value:.4f}" for name, value in (best.get("metrics") or {}).items())
    return f"step {best['step']}" + (f" ({metrics})" if metrics else "")
