"""Train a run to its end: build or resume it, run the training loop, and complete the run folder."""

import logging
import shlex
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ftaug.config.dump import to_yaml, with_kept_plugins
from ftaug.config.experiment import Experiment
from ftaug.config.strict_json import dumps
from ftaug.config.task_fit import labels_learned
from ftaug.engine.loading.data_record import SAMPLES_FILE, fingerprints, to_csv
from ftaug.engine.loading.sample_cache import Cache
from ftaug.engine.loading.split import UNLABELED, DataSplit, load_splits
from ftaug.engine.system.ranks import ALONE, Ranks, lost_ranks_in_collectives
from ftaug.engine.system.run_files import MODEL_FILE, read_json
from ftaug.engine.system.run_folder import RunFolder
from ftaug.engine.system.signals import StopRequests
from ftaug.engine.training.auto_unfreeze import resolve_auto_unfreeze
from ftaug.engine.training.feature_cache import batches_of, fill, missing, open_feature_cache
from ftaug.engine.training.fit import Step, fit
from ftaug.engine.training.state import TrainingState
from ftaug.errors import DataChanged, FtaugError, Interrupted, Stopped, as_known
from ftaug.runs import best_checkpoint, thresholds, weight_change
from ftaug.runs.assemble import assemble
from ftaug.runs.bad_samples import readable
from ftaug.runs.earlier_samples import consistent, teacher_cautions
from ftaug.runs.metrics_log import evaluations
from ftaug.runs.model_file import write_model_file
from ftaug.runs.nonfinite_steps import recover
from ftaug.runs.open_run import open_run
from ftaug.runs.process_group import newest_checkpoint, require_same_data
from ftaug.runs.report import classification, confusion_plot, console, curves_plot, training_summary
from ftaug.runs.report.progress_bar import ProgressBar
from ftaug.runs.run_report import after_training
from ftaug.runs.similar_runs import similar_runs
from ftaug.runs.train_session import Session
from ftaug.runs.trained_model import recorded_data

log = logging.getLogger("ftaug")

CHOICE_FILE = "unfreeze.json"


@dataclass(frozen=True)
class Invocation:
    """Arguments of the command that are shared by all runs that it trains."""

    text: str  # the experiment file
    device: str
    start_time: float  # wall-clock time in seconds, as of time.time()
    elsewhere: Sequence[Path]  # folders to search for similar runs
    report: bool  # whether a complete run gets a report
    announce: bool  # whether the launcher is told the folder of the run; of folds it is that of all
    plots: bool = True  # whether a complete run gets plots of its curves and its weight change
    ranks: Ranks = ALONE  # the processes that train together


@lost_ranks_in_collectives()
def train(experiment: Experiment, folder: RunFolder, stop: StopRequests, invocation: Invocation) -> None:
    """Train a new run, or resume one from its newest checkpoint; raises Stopped, Interrupted.

    A new run is compared with those in the folders `invocation.elsewhere`, and a caution printed for a similar one.
    """
    ranks = invocation.ranks
    with stop.at_once():
        latest = newest_checkpoint(folder, ranks)
        if latest is None:
            with ranks.first_of_machine_first():
                loaded = load_splits(experiment.data, experiment.seed)
            data, cautions = consistent(experiment, loaded, folder)
            data = readable(experiment, data)
            folder.write(SAMPLES_FILE, to_csv(data))
        else:
            data, cautions = unchanged_data(experiment, folder.path), []
        require_same_data(data, ranks)
    experiment = _with_resolved_unfreeze(experiment, folder, invocation, data, stop)
    with ExitStack() as stack:
        with stop.at_once():
            micro_batch = _chosen_settings(folder).get("micro_batch")
            assembled = assemble(
                experiment, invocation.device, data, pretrained=latest is None, micro_batch=micro_batch, ranks=ranks
            )
            state, cache = stack.enter_context(assembled)
            if state.experiment != experiment:  # the task determined the default metrics
                folder.write("resolved.yaml", to_yaml(with_kept_plugins(state.experiment)[0]))
            if latest is None:
                cautions = [
                    *cautions,
                    *teacher_cautions(experiment, data),
                    *_similar(state, folder, invocation.elsewhere),
                ]
                state = replace(state, cautions=[*state.cautions, *cautions])
            session = Session.begin(state, folder) if latest is None else Session.resume(state, folder, latest)
            stack.push(session.log.loggers)
            features = stack.enter_context(open_feature_cache(state, session.progress.step))
            session.state = replace(state, features=features)
        _train(session, cache, stop, invocation)


def _similar(state: TrainingState, folder: RunFolder, elsewhere: Sequence[Path]) -> list[str]:
    """Return a caution for each run of the same experiment and data, which the user may want to continue instead."""
    runs = similar_runs(folder.path, state.experiment.name, folder.digest, fingerprints(state.splits), elsewhere)
    return [f"{run} is a run of this experiment on the same data; to continue it: --run-dir {run}" for run in runs]


def unchanged_data(experiment: Experiment, folder: Path) -> Mapping[str, DataSplit]:
    """Load the recorded data splits of an earlier run; raises DataChanged if those of training have changed since."""
    data = recorded_data(folder, experiment)
    for purpose in ("train", "val", UNLABELED):
        if purpose in data and (changed := data.change(purpose)):
            raise DataChanged(f"{folder}: {changed}; restore the data, or start over in a new folder with --fresh")
    return data


def _with_resolved_unfreeze(
    experiment: Experiment,
    folder: RunFolder,
    invocation: Invocation,
    data: Mapping[str, DataSplit],
    stop: StopRequests,
) -> Experiment:
    """Resolve `unfreeze: auto` once per run; later starts read the choice from the folder. Raises Stopped."""
    if experiment.unfreeze != "auto":
        return experiment
    record, ranks = None, invocation.ranks
    if ranks.world.is_first:
        record = read_json(folder.path / CHOICE_FILE, {"unfreeze": list, "gain": dict, "relative": dict})
        if record is None:
            _, choice = resolve_auto_unfreeze(experiment, invocation.device, data, lambda: stop.reason is None)
            record = None if choice is None else asdict(choice)
    ranks.wait()
    record, reason = ranks.broadcast([record, stop.reason])
    if record is None:
        text = f"stopped by {reason} before the first step; run the same command again"
        raise Interrupted(text) if reason == "Ctrl-C" else Stopped(text)
    folder.write(CHOICE_FILE, dumps(record, indent=1) + "\n")
    console.say(training_summary.choice(record))
    experiment = replace(experiment, unfreeze=tuple(record["unfreeze"]))
    folder.write("resolved.yaml", to_yaml(with_kept_plugins(experiment)[0]))
    return experiment


def _chosen_settings(folder: RunFolder) -> dict[str, Any]:
    """Read the settings that an earlier start of the run chose, such as the micro-batch."""
    about = read_json(folder.path / MODEL_FILE) or {}
    return dict(about.get("chosen", {}))


def _train(session: Session, cache: Cache, stop: StopRequests, invocation: Invocation) -> None:
    """Train from the session's current step to the end; raises Stopped, Interrupted if a stop is requested before."""
    state, folder = session.state, session.folder
    session.require_room()
    if state.ranks.world.is_first:
        with stop.at_once():  # it may copy an encoder
            write_model_file(state, folder, cache)
    console.say(training_summary.before(state, cache, folder.path, session.origin))
    _store_features(state, session.progress.step, stop)
    train_loop(session, stop)
    if not session.finished:
        state.ranks.wait()  # until rank 0 has saved: Slurm ends all processes when one leaves
        place = f"step {session.progress.step} of {state.training_length.total_steps}"
        text = f"stopped by {stop.reason} at {place}, saved in {folder.path}; the same command continues"
        console.record(text)
        raise Interrupted(text) if stop.reason == "Ctrl-C" else Stopped(text)
    if state.ranks.world.is_first:
        _complete(session, stop, invocation)
    state.ranks.wait()


def _complete(session: Session, stop: StopRequests, invocation: Invocation) -> None:
    """Complete the run folder of a finished run, and print the results."""
    folder = session.folder
    finish(session, folder, stop, plots=invocation.plots)
    if invocation.report:
        _write_report(session)
    _log_plots(session)
    seconds = time.time() - invocation.start_time
    console.say(training_summary.times(folder.read_metrics(), seconds, resumed=session.origin != "new"))
    if labels_learned(session.state.experiment):
        console.say("next:", *training_summary.next_steps(folder.path))


def _log_plots(session: Session) -> None:
    """Log the plots of a complete run, and the confusion matrix of its best evaluation."""
    loggers, folder = session.log.loggers, session.folder.path / "report"
    if loggers.is_empty:
        return
    task = session.state.task
    if session.best is not None and task.kind == "single_label":
        matrix = classification.confusion_matrix(session.best, task)
        confusion_plot.confusion(matrix, task.classes, folder / "confusion-val.png")
    for path in sorted(folder.glob("*.png")):
        loggers.image(path.stem, path)


def train_loop(session: Session, stop: StopRequests) -> None:
    """Run the training loop until the run is finished or a stop is requested; save a checkpoint at the end."""
    state, log, first = session.state, session.log, session.progress.step + 1
    with ProgressBar(
        state.training_length.total_steps, session.progress.step, state.training_length.epoch_steps
    ) as progress_bar:
        stop.reserve = session.reserve
        session.mark_rollback_point()
        session.evaluate_if_due(stop, progress_bar)
        if session.should_continue(stop):
            log.restart_clock()
            for step, seconds in timed(fit(state, session.progress)):
                if step.number > first:
                    session.step_seconds = max(session.step_seconds, seconds)
                elif state.experiment.train.compile:
                    progress_bar.line(f"compiled: the first step took {seconds:.0f} s")
                stop.reserve = session.reserve
                if step.nonfinite is not None:
                    recover(session, step, progress_bar)
                log.log_step(step, progress_bar)
                session.mark_rollback_point()
                with log.clock_stopped():
                    session.evaluate_if_due(stop, progress_bar)
                    log.log_epoch(progress_bar)
                    proceed = session.should_continue(stop)
                if not proceed:
                    break
        session.save()


def timed(steps: Iterable[Step]) -> Iterator[tuple[Step, float]]:
    """Yield each training step with its duration in seconds."""
    began = time.monotonic()
    for step in steps:
        yield step, time.monotonic() - began
        began = time.monotonic()


def _store_features(state: TrainingState, step: int, stop: StopRequests) -> None:
    """Compute and store the frozen prefix's features that training needs from a step on, until a stop is requested."""
    if state.features is None:
        return
    needed = missing(state, state.features, step)
    requests = (batches_of(state, purpose, view) for purpose, views in needed.items() for view in views)
    total = sum(len(list(state.ranks.share_of_machine(each))) for each in requests)
    with ProgressBar(total, 0, unit="batch") as progress_bar:
        for purpose, views in needed.items():
            for view in fill(state, state.features, purpose, views, lambda: stop.reason is None):
                progress_bar.advance()
                progress_bar.status(f"features of {purpose}, view {view + 1}")


def finish(session: Session, folder: RunFolder, stop: StopRequests, *, plots: bool = True) -> None:
    """Print the results, tune thresholds, and mark the run folder as complete; with `plots` draw the curves."""
    state, progress = session.state, session.progress
    rows = folder.read_metrics()
    results = evaluations(rows, state)
    console.say(training_summary.after(results, progress.best_step))
    best = best_checkpoint.of_evaluations(results, progress)
    if best is None:  # without validation the last checkpoint is the best
        best = {"step": progress.step, "metrics": {}}
        folder.set_best(progress.step)
    if state.experiment.evaluate.thresholds is not None:
        with stop.at_once():  # it predicts all of validation; the last checkpoint is saved
            tuned = thresholds.tune(open_run(folder.path, state.device.torch.type, trust_plugins=True))
        console.say(training_summary.thresholds(tuned))
    folder.finish(progress.step, best)
    run = folder.path
    outcome = f"{training_summary.ending(state, progress)}; best: {best_checkpoint.outcome(state, progress, best)}"
    if not plots:
        console.say(outcome)
        return
    _show_weight_change(state, run, rows)
    console.say(outcome, f"curves: {curves_plot.curves(run, progress.best_step)}")


def _show_weight_change(state: TrainingState, run: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Print and write the weight change of each stage, if the initial weights can be rebuilt."""
    try:
        changes = weight_change.compare_weights(run, state, rows)
    except FtaugError as error:
        console.say(f"the weight change cannot be computed: {error}")
        return
    weight_change.write(run, changes, rows)
    console.say(weight_change.table(changes))


def _write_report(session: Session) -> None:
    """Write the report of a complete run and print its path; a failure is printed, since the training has succeeded."""
    run = session.folder.path
    try:
        path = after_training.write_report(session.state, session.folder, session.best)
    except Exception as error:
        log.info("the report failed", exc_info=True)
        reason = as_known(error) or f"{type(error).__name__}: {error}"
        console.say(f"no report ({reason}); try again: ftaug report {shlex.quote(str(run))}")
        return
    if path is not None:
        console.say(f"report: {path}")
