"""A run from where it is to its end: build or restore, train, and leave a complete run folder."""

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ftaug.config.dump import to_yaml, with_kept_plugins
from ftaug.config.experiment import Experiment
from ftaug.config.strict_json import dumps
from ftaug.engine.loading.data_record import SAMPLES_FILE, fingerprints, to_csv
from ftaug.engine.loading.prepare import modality_of
from ftaug.engine.loading.sample_cache import Cache
from ftaug.engine.loading.split import DataSplit, portions
from ftaug.engine.system import checkpoint
from ftaug.engine.system.run_folder import RunFolder, read_json
from ftaug.engine.system.signals import StopRequests
from ftaug.engine.training.auto_unfreeze import resolve_auto_unfreeze
from ftaug.engine.training.feature_cache import batches_of, fill, missing, open_feature_cache
from ftaug.engine.training.fit import fit
from ftaug.engine.training.state import TrainingState
from ftaug.errors import BadData, DataChanged, FtaugError, Interrupted, Stopped
from ftaug.runs import best_checkpoint, thresholds, weight_change
from ftaug.runs.assemble import assemble
from ftaug.runs.bad_samples import readable
from ftaug.runs.earlier_samples import consistent, teacher_cautions
from ftaug.runs.open_run import open_run
from ftaug.runs.report import plots, training_summary
from ftaug.runs.report.progress_bar import Ticker
from ftaug.runs.similar_runs import similar_runs
from ftaug.runs.train_session import Session
from ftaug.runs.trained_model import MODEL_FILE, describe_model, keep_origin, recorded_data

CHOICE_FILE = "unfreeze.json"


def train(
    experiment: Experiment, folder: RunFolder, device: str, stop: StopRequests, elsewhere: Sequence[Path] = ()
) -> None:
    """Build or restore the run, train to the end and leave a complete run folder; raises Stopped, Interrupted.

    A run that is new is compared with those in the folders `elsewhere`.
    """
    with stop.at_once():
        found = checkpoint.newest(folder.checkpoints)
        if found is None and checkpoint.best(folder.path) is not None:
            raise BadData(f"{folder.path}: its checkpoints are gone; put them back, or start over with --fresh")
        if found is None:
            data, cautions = consistent(experiment, portions(experiment.data, experiment.seed), folder)
            data = readable(experiment, data)
            folder.write(SAMPLES_FILE, to_csv(data))
        else:
            data, cautions = unchanged_data(experiment, folder.path), []
    experiment = _settled(experiment, folder, device, data, stop)
    with ExitStack() as stack:
        with stop.at_once():
            micro_batch = _chosen(folder).get("micro_batch")
            assembled = assemble(experiment, device, data, pretrained=found is None, micro_batch=micro_batch)
            setup, cache = stack.enter_context(assembled)
            if setup.experiment != experiment:  # the metrics that the task chose
                folder.write("resolved.yaml", to_yaml(with_kept_plugins(setup.experiment)[0]))
            if found is None:
                cautions = [*cautions, *teacher_cautions(experiment, data), *_similar(setup, folder, elsewhere)]
                setup = replace(setup, hazards=[*setup.hazards, *cautions])
            session = Session.begin(setup, folder) if found is None else Session.resume(setup, folder, found)
            features = stack.enter_context(open_feature_cache(setup, session.progress.step))
            session.setup = replace(setup, features=features)
        _train(session, cache, stop)


def _similar(setup: TrainingState, folder: RunFolder, elsewhere: Sequence[Path]) -> list[str]:
    """A caution for every run that may be meant instead of a new one."""
    runs = similar_runs(folder.path, setup.experiment.name, folder.digest, fingerprints(setup.portions), elsewhere)
    return [f"{run} is a run of this experiment on the same data; to continue it: --run-dir {run}" for run in runs]


def unchanged_data(experiment: Experiment, folder: Path) -> Mapping[str, DataSplit]:
    """The samples of a run that began before; raises DataChanged where train or val differ from what it began with."""
    data = recorded_data(folder, experiment)
    for purpose in ("train", "val"):
        if purpose in data and (changed := data.change(purpose)):
            raise DataChanged(f"{folder}: {changed}; put the data back, or start over in a new folder with --fresh")
    return data


def _settled(
    experiment: Experiment, folder: RunFolder, device: str, data: Mapping[str, DataSplit], stop: StopRequests
) -> Experiment:
    """The experiment with what `unfreeze: auto` came to when the run began; raises Stopped, Interrupted."""
    if experiment.unfreeze != "auto":
        return experiment
    kept = read_json(folder.path / CHOICE_FILE, {"unfreeze": list, "gain": dict, "relative": dict})
    if kept is None:
        _, choice = resolve_auto_unfreeze(experiment, device, data, carry_on=lambda: stop.reason is None)
        if choice is None:
            text = f"stopped by {stop.reason} before the first step; run the same command again"
            raise Interrupted(text) if stop.reason == "Ctrl-C" else Stopped(text)
        kept = asdict(choice)
        folder.write(CHOICE_FILE, dumps(kept, indent=1) + "\n")
    training_summary.console().print(training_summary.choice(kept))
    experiment = replace(experiment, unfreeze=tuple(kept["unfreeze"]))
    folder.write("resolved.yaml", to_yaml(with_kept_plugins(experiment)[0]))
    return experiment


def _chosen(folder: RunFolder) -> dict[str, Any]:
    """What an earlier start chose."""
    about = read_json(folder.path / MODEL_FILE) or {}
    return dict(about.get("chosen", {}))


def _sample_columns(setup: TrainingState) -> list[str]:
    """The columns of a table that would hold a sample: two for pairs of texts, none for pictures."""
    train = setup.portions["train"]
    with suppress(BadData):  # it is left out of the training, or ends it
        return list(modality_of(setup.experiment).cells(train.samples.read(int(train.ids[0]))))
    return []


def _train(session: Session, cache: Cache, stop: StopRequests) -> None:
    """Train from where the session is."""
    setup, folder = session.setup, session.folder
    session.require_room()
    chosen = {"device": setup.device.torch.type, "precision": setup.device.precision, "workers": setup.workers}
    chosen |= {"micro_batch": setup.micro_batch.samples if setup.micro_batch is not None else None}
    chosen |= {"evaluation_precision": setup.evaluation_device.precision, "threads": setup.device.threads}
    chosen |= {"cache": cache.place or "off", "augment_on": "cuda" if setup.device.augments else "cpu"}
    kept = keep_origin(setup, folder.path)
    about = {**describe_model(setup), **kept, "sample_columns": _sample_columns(setup), "chosen": chosen}
    folder.write(MODEL_FILE, dumps(about, indent=1) + "\n")
    console = training_summary.console()
    console.print(training_summary.before(setup, cache, folder.path, session.origin))
    _store_features(setup, session.progress.step, stop)
    with Ticker(setup.horizon.total_steps, session.progress.step, setup.horizon.epoch_steps) as ticker:
        stop.reserve = session.reserve
        session.catch_up(stop, ticker)
        if session.goes_on(stop):
            began, first = time.monotonic(), session.progress.step + 1
            session.row_at = began
            for step in fit(setup, session.progress):
                if setup.experiment.train.compile and step.number == first:
                    ticker.line(f"compiled: the first step took {time.monotonic() - began:.0f} s")
                session.take(step, stop, ticker)
                if not session.goes_on(stop):
                    break
        session.save()
    if not session.finished:
        place = f"step {session.progress.step} of {setup.horizon.total_steps}"
        text = f"stopped by {stop.reason} at {place}, saved in {folder.path}; the same command continues"
        raise Interrupted(text) if stop.reason == "Ctrl-C" else Stopped(text)
    finish(session, folder)


def _store_features(setup: TrainingState, step: int, stop: StopRequests) -> None:
    """Store what training will need of the frozen prefix from a step on, as far as nobody asks to stop."""
    if setup.features is None:
        return
    needed = missing(setup, setup.features, step)
    total = sum(len(batches_of(setup, purpose, view)) for purpose, views in needed.items() for view in views)
    with Ticker(total, 0, unit="batch") as ticker:
        for purpose, views in needed.items():
            for view in fill(setup, setup.features, purpose, views):
                ticker.tick()
                ticker.status(f"features of {purpose}, view {view + 1}")
                if stop.reason is not None:
                    return


def finish(session: Session, folder: RunFolder) -> None:
    """Say how it went, draw the curves and mark the run folder as complete."""
    rows = folder.read_metrics()
    console = training_summary.console()
    evaluations = session.evaluations(rows)
    console.print(training_summary.after(evaluations, session.progress.best_step))
    curves = plots.curves(folder.path)
    best = session.best(evaluations)
    if session.setup.experiment.evaluate.thresholds is not None:
        tuned = thresholds.tune(open_run(folder.path, session.setup.device.torch.type, trust_plugins=True))
        console.print(training_summary.thresholds(tuned))
    folder.finish(session.progress.step, best)
    run = folder.path
    _show_what_moved(session.setup, run, rows)
    outcome = best_checkpoint.outcome(session.setup, session.progress, best)
    console.print(f"{session.ending}; best: {outcome}\ncurves: {curves}")
    console.print(training_summary.next_steps(run))


def _show_what_moved(setup: TrainingState, run: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Print and write what training moved, where what it started from can be read again."""
    try:
        found = weight_change.what_moved(run, setup, rows)
    except FtaugError as error:
        training_summary.console().print(f"what moved is not known: {error}")
        return
    weight_change.write(run, found, rows)
    training_summary.console().print(weight_change.table(found))
