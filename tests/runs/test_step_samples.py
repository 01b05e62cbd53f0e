"""The recomputed samples of a step are those that training loads."""

from hashlib import sha256

import pytest
from described_runs import described_run
from small_training import EXPERIMENT, TEXTS

from ftaug.runs.step_samples import samples_of


@pytest.mark.parametrize(
    ("text", "overrides"),
    [
        (EXPERIMENT, ["augment=[rotate]", "train.epochs=2", "train.micro_batch=5"]),
        (EXPERIMENT, ["data.sampler=balanced", "objective=jensen_shannon", "augment=[augmix]", "train.epochs=2"]),
        (TEXTS, ["data.bucket=1", "data.batch_tokens=null", "augment=[delete]"]),
    ],
    ids=["images", "views, resampled", "texts"],
)
def test_they_are_those_of_training(tmp_path, text, overrides):
    run, state = described_run(tmp_path, text, *overrides)
    steps = range(1, state.training_length.total_steps + 1)
    data, split = state.prepared("train"), state.splits["train"]
    for step, samples in zip(steps, samples_of(run, steps, False), strict=True):
        expected = []
        for request in state.epochs.requests(step - 1, step):
            for place, position in enumerate(request.ids.tolist()):
                epoch = request.epoch if request.rounds is None else int(request.rounds[place])
                views, _ = data.sample(position, epoch)
                digest = sha256(b"".join(f"{v.dtype.str}{v.shape}".encode() + v.tobytes() for v in views)).hexdigest()
                expected.append((split.samples.name(int(split.ids[position])), digest))
        assert [(sample.name, sample.digest) for sample in samples] == expected
        assert len({sample.digest for sample in samples}) > 1
