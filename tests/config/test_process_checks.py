"""Settings for several processes that cannot be used together are errors with a place."""

import pytest

from ftaug.config.dump import digest
from ftaug.errors import ExperimentError
from ftaug.experiment_file import load

TEXT = """
data: {train: digits, batch_size: 16}
backbone: {resnet20: {weights: letters}}
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "experiment.yaml"
    path.write_text(TEXT)
    return path


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["train.shard=true", "data.parts=4"],
            "data.parts must be auto with train.shard, which computes with all samples of a step at once; got 4",
        ),
        (["train.sync_batchnorm=true", "data.parts=2"], "data.parts must be auto with train.sync_batchnorm"),
        (["train.shard=true", "train.compile=true"], "train.compile and train.shard cannot be combined; leave one out"),
        (
            ["train.shard=true", "unfreeze=[head]", "train.cache_features={views: 2}"],
            "train.cache_features runs only a part of the network, which train.shard does not support; leave one out",
        ),
        (
            ["train.shard=true", "optimizer=muon"],
            "train.shard cannot be used with optimizer muon, which needs whole matrices; use adamw",
        ),
        (
            ["modality=text", "data={train: docstrings, batch_tokens: 512}", "backbone=tiny_text", "train.shard=true"],
            "data.batch_tokens cannot be used with train.shard, which needs as many micro-batches in each process",
        ),
    ],
)
def test_contradictions_are_errors(file, overrides, message) -> None:
    with pytest.raises(ExperimentError) as error:
        load(file, overrides)
    assert message in str(error.value)


def test_shards_change_nothing_but_rounding(file) -> None:
    plain = digest(load(file, []))
    assert digest(load(file, ["train.shard=true"])) == plain
    assert digest(load(file, ["train.sync_batchnorm=true"])) != plain
