"""Run folders with everything but training: settings, samples, metrics and a checkpoint."""

from small_training import state_of

from ftaug.config.dump import to_yaml
from ftaug.engine.loading.data_record import to_csv
from ftaug.engine.loading.sample_cache import Cache
from ftaug.engine.system.run_folder import RunFolder
from ftaug.engine.training.fit import Progress
from ftaug.runs.checkpointing import save_checkpoint
from ftaug.runs.model_file import write_model_file

ROWS = [
    {"step": 1, "epoch": 0.5, "loss": 2.5, "lr": 0.1, "samples": 8, "time": {"samples_per_second": 1.0}},
    {"step": 2, "epoch": 1.0, "loss": 2.0, "lr": 0.1, "samples": 8, "time": {"samples_per_second": 2.0}},
    {"step": 2, "epoch": 1.0, "val": {"loss": 2.25, "accuracy": 0.5}, "time": {"seconds": 1.0}},
]


def described_run(folder, text, *overrides, rows=ROWS, change=None):
    """Write the run `folder / "run"` with a checkpoint of step 2; return its path and state."""
    folder.mkdir(exist_ok=True)
    state = state_of(folder, text, *overrides)
    resolved = to_yaml(state.experiment)
    with RunFolder.open(folder / "run", experiment_yaml=text, resolved_yaml=resolved, digest="0123") as run:
        write_model_file(state, run, Cache(None, "off"))
        run.write("samples.csv", to_csv(state.splits))
        for row in rows:
            run.append_metrics(row)
        if change is not None:
            change(state)
        save_checkpoint(state, Progress(step=2, best_step=2), run)
    return folder / "run", state
