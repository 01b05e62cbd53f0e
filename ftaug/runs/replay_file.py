"""The record of a step whose loss or gradient is not finite, from which `ftaug replay` repeats it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ftaug.config.strict_json import dumps
from ftaug.engine.loading import seeds
from ftaug.engine.system.run_files import read_json
from ftaug.engine.system.run_folder import RunFolder
from ftaug.engine.system.storage import make_inside, storage_errors
from ftaug.engine.training.fit import Step
from ftaug.engine.training.state import TrainingState
from ftaug.errors import BadData, MissingInput

FOLDER = "nonfinite"
KEYS = {"step": int, "loss": str, "digest": str, "micro_batches": list}


@dataclass(frozen=True)
class MicroBatchRecord:
    """The samples of a micro-batch, and what its random numbers were drawn from."""

    part: int
    seed: int  # of torch's generators, for dropout
    ids: list[int]  # of the samples in their dataset
    samples: list[str]  # their names


@dataclass(frozen=True)
class ReplayFile:
    """A step whose loss or gradient is not finite; figures are texts, as JSON has no NaN."""

    step: int  # from 1
    epoch: int  # from 1
    loss: str
    gradient_norm: str | None
    rate: float
    action: str  # stop, skip or rollback
    digest: str  # of the experiment
    seed: int
    micro_batches: list[MicroBatchRecord]

    @property
    def samples(self) -> int:
        """The number of samples of the step."""
        return sum(len(each.ids) for each in self.micro_batches)


def record_step(state: TrainingState, step: Step, action: str, digest: str) -> ReplayFile:
    """Describe a step of all processes."""
    train, seed = state.splits["train"], state.experiment.seed
    batches, numbers = [], dict.fromkeys(range(state.epochs.parts), -1)
    for request in replace(state.epochs, of_rank=None).requests(step.number - 1, step.number):
        numbers[request.part] += 1
        ids = train.ids[request.ids].tolist()
        torch_seed = seeds.step_seed(seed, step.number - 1, numbers[request.part], request.part)
        batches.append(MicroBatchRecord(request.part, torch_seed, ids, [train.samples.name(i) for i in ids]))
    norm = None if step.gradient_norm is None else str(step.gradient_norm.item())
    return ReplayFile(
        step.number, step.epoch + 1, str(step.loss.item()), norm, step.rate, action, digest, seed, batches
    )


def write(folder: RunFolder, content: ReplayFile) -> Path:
    """Write the record into a run folder; return its path."""
    path = folder.path / FOLDER / f"step-{content.step:07d}.json"
    with storage_errors(f"cannot write {path}"):
        make_inside(path.parent)
    folder.write(f"{FOLDER}/{path.name}", dumps(asdict(content), indent=1) + "\n")
    return path


def read(path: Path) -> ReplayFile:
    """Read a record; raises MissingInput, BadData."""
    content: dict[str, Any] | None = read_json(path, KEYS)
    if content is None:
        raise MissingInput(f"{path}: does not exist")
    try:
        return ReplayFile(
            **{**content, "micro_batches": [MicroBatchRecord(**each) for each in content["micro_batches"]]}
        )
    except TypeError:
        raise BadData(f"{path}: was not written by this version of ftaug") from None


def newest(run: Path) -> Path:
    """Return the latest record of a run; raises MissingInput if it has none."""
    paths = sorted((run / FOLDER).glob("step-*.json"))
    if not paths:
        raise MissingInput(f"{run}: has no step whose loss or gradient is not finite ({FOLDER}/ is empty)")
    return paths[-1]
