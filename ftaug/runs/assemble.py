"""Assemble the training state for `train`, `lr-find` and `benchmark`."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from ftaug.config.experiment import Experiment
from ftaug.engine.loading.sample_cache import Cache, caching
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.system.ranks import ALONE, Ranks
from ftaug.engine.system.world import of_environment
from ftaug.engine.training.build import build
from ftaug.engine.training.micro_batch_size import with_micro_batch
from ftaug.engine.training.sharding import with_shards
from ftaug.engine.training.state import TrainingState
from ftaug.engine.training.step_parts import with_parts
from ftaug.engine.training.teacher_features import with_teacher_features
from ftaug.errors import ExperimentError
from ftaug.runs.teacher import feature_teacher_of, teacher_of


@contextmanager
def assemble(
    experiment: Experiment,
    device: str,
    data: Mapping[str, DataSplit],
    *,
    pretrained: bool,
    micro_batch: int | None = None,
    ranks: Ranks = ALONE,
) -> Iterator[tuple[TrainingState, Cache]]:
    """Build the training state with teacher, micro-batches and sample cache; release the cache at the end.

    `pretrained` is false if a checkpoint is loaded afterwards; `micro_batch` is the size that an earlier start of the
    run chose; `ranks` are the processes that train together, all that the run has. Raises ExperimentError.
    """
    if (size := of_environment().size) != ranks.size:
        text = f"this command runs in a single process, and torchrun or srun has started {size}; start it without them"
        raise ExperimentError(text)
    with ranks.first_of_machine_first():
        state = build(experiment, device, data, pretrained=pretrained)
    state = replace(state, teacher=teacher_of(experiment, state.task, state.backbone, state.device))
    teacher = feature_teacher_of(experiment, state.backbone, state.device)
    with with_teacher_features(with_parts(state, ranks), teacher) as state:
        state = with_shards(with_micro_batch(state, micro_batch))
        with caching(state) as (state, cache):
            yield state, cache
