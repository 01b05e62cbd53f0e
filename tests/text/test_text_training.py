"""Training on texts: the same bits for any number of workers, the same result in parts, nothing done twice."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_models as models
import torch

from ftaug.engine.loading.batches import batches
from ftaug.engine.loading.prepare import epoch_sampler_of
from ftaug.engine.loading.sample_cache import Cache
from ftaug.engine.loading.split import load_splits
from ftaug.engine.training.build import build
from ftaug.engine.training.fit import Progress, Step, fit
from ftaug.engine.training.state import TrainingState
from ftaug.errors import BadData
from ftaug.experiment_file import load
from ftaug.runs.report import training_summary
from ftaug.text import dataset, tokenizer

PLUGIN = '''
import numpy as np

from ftaug.interfaces import Task
from ftaug.text import dataset
from ftaug.text.types import Text

WORDS = "good fine story film the is bad poor song book".split()


class Stories:
    task = Task(("bad", "good"))
    groups = None
    notes = ()

    def __init__(self, split):
        self.lengths = np.random.default_rng(len(split)).integers(1, 30, 40)
        self.targets = np.arange(40) % 2
        self.fingerprint = split

    def __len__(self):
        return 40

    def read(self, index):
        return Text(" ".join(WORDS[(index * k) % 10] for k in range(self.lengths[index])))

    def name(self, index):
        return f"stories[{index}]"


@dataset.register
def stories(split: str) -> Stories:
    """Stories without a sense."""
    return Stories(split)
'''
EXPERIMENT = """
modality: text
plugins: [stories.py]
data: {train: stories, val: stories, batch_size: 8, workers: 0, bucket: 3}
backbone: {hf: {path: model}}
lr: {peak: 1e-2}
train: {epochs: 2}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(dataset, "_entries", dict(dataset._entries))  # which forget the plugin afterwards
    models.write(tmp_path / "model", "bert")
    (tmp_path / "stories.py").write_text(f"# {tmp_path}\n{PLUGIN}")  # a copy of another would not be imported
    (tmp_path / "experiment.yaml").write_text(EXPERIMENT)
    return tmp_path


def state_of(folder: Path, *overrides: str) -> TrainingState:
    experiment = load(folder / "experiment.yaml", overrides)
    return build(experiment, "cpu", load_splits(experiment.data, experiment.seed), pretrained=True)


def train(state: TrainingState) -> list[Step]:
    return list(fit(state, Progress()))


def weights(state: TrainingState) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in state.model.network.state_dict().items()}


def test_training_is_bit_equal_for_any_number_of_workers(folder: Path) -> None:
    found = []
    for workers in (0, 1, 2):
        state = state_of(folder, f"data.workers={workers}", "data.batch_tokens=100", "mix=mixup")
        losses = [step.loss.item() for step in train(state)]
        found.append((losses, weights(state)))
    for losses, tensors in found[1:]:
        assert losses == found[0][0]
        assert all(torch.equal(tensors[name], value) for name, value in found[0][1].items())


def test_a_batch_in_parts_has_the_gradient_of_the_whole(folder: Path) -> None:
    """Texts go through the network in unequal parts; each part counts by its number of texts."""
    models.write(folder / "model", "bert", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    sgd = ("optimizer={sgd: {momentum: 0}}", "lr.schedule=constant", "train.epochs=1")
    whole, parts = (state_of(folder, *sgd, f"data.batch_tokens={most}") for most in ("null", 64))
    asked = [list(state.epochs.requests(0, 5)) for state in (whole, parts)]
    assert len(asked[0]) == 5
    assert len({len(request.ids) for request in asked[1]}) > 2
    for one, other in zip(train(whole), train(parts), strict=True):
        assert one.samples == other.samples
        assert one.loss.item() == pytest.approx(other.loss.item(), rel=1e-4)
    for name, value in weights(whole).items():
        torch.testing.assert_close(weights(parts)[name], value, rtol=1e-4, atol=1e-5)


def test_on_a_processor_a_batch_goes_in_parts_by_itself(folder: Path) -> None:
    """Not where the texts of a batch are mixed or compared."""
    wide = ("data.batch_size=32", "data.bucket=1", "train.epochs=1")
    table = training_summary.before(state_of(folder, *wide), Cache(None, ""), folder, "new")
    assert any("32, up to 2,048 tokens at a time (auto: less padding)" in cell for cell in table.columns[1].cells)
    for overrides, parted in (([], True), (["mix=mixup"], False), (["objective=r_drop"], False)):
        state = state_of(folder, *wide, *overrides)
        unequal = replace(state.epochs, sizes=np.where(np.arange(state.epochs.samples) % 2, 20, 200))
        assert any(not request.ends_part for request in unequal.requests(0, 1)) == parted


def test_a_batch_is_no_longer_than_its_longest_text(folder: Path) -> None:
    state = state_of(folder)
    data = state.prepared("train")
    assert data.sizes is not None
    for batch in batches(data, state.epochs.requests(0, 5), 0, pin=False):
        lengths = batch.inputs[:, 1].sum(dim=1)
        assert lengths.tolist() == data.sizes[batch.request.ids].tolist()
        assert batch.inputs.shape[2] == lengths.max()


def test_a_text_that_nothing_changes_is_split_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it is met as train and as val, and cut."""
    tokenizer.encoder.cache_clear()
    split: list[Any] = []
    real = tokenizer.Encoder._split
    monkeypatch.setattr(tokenizer.Encoder, "_split", lambda self, text: split.append(text) or real(self, text))
    state = state_of(folder, "backbone.hf.max_length=20")
    train(state)
    state.prepared("val")
    texts = {split.samples.read(i) for split in state.splits.values() for i in range(40)}
    longer = {text for text in texts if len(text.first.split()) > 18}
    assert longer
    assert sorted(split) == sorted([*texts, *longer])  # those are split once more, to be cut


@pytest.mark.parametrize(("text", "wrong"), [("\ud800", "the text is not UTF-8"), ("", "the text is empty")])
def test_a_text_that_cannot_be_split_is_named(text: str, wrong: str, folder: Path) -> None:
    models.tokenizer_of().save_pretrained(folder / "model")
    file = folder / "model" / "tokenizer.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "post_processor": None}))
    plugin = folder / "stories.py"
    plugin.write_text(plugin.read_text().replace("return Text(", f"return Text({text!r}) if index == 7 else Text("))
    with pytest.raises(BadData, match=rf"^stories\[7\]: {wrong}"):
        state_of(folder)


def test_what_lies_below_the_frozen_layers_has_no_gradient(folder: Path) -> None:
    """Embeddings and first layer run without autograd, and drop nothing."""
    state = state_of(folder, "unfreeze=[layer2, head]", "head_init=library")  # a head of zeros tells nothing
    state.plan.apply(state.model.network, 0)
    bert: Any = state.model.network.model.bert  # type: ignore[union-attr]
    seen: dict[str, Any] = {}
    for name, module in (("embeddings", bert.embeddings), *((str(n), m) for n, m in enumerate(bert.encoder.layer))):
        module.register_forward_hook(
            lambda module, given, out, name=name: seen.update({name: out[0] if isinstance(out, tuple) else out})
        )  # a tuple before transformers 5
    data = state.prepared("train")
    batch = next(iter(batches(data, state.epochs.requests(0, 1), 0, pin=False)))
    first = state.model(batch.inputs)
    below = seen["0"]
    assert not seen["embeddings"].requires_grad
    assert not below.requires_grad
    assert first.requires_grad
    assert not torch.equal(state.model(batch.inputs), first)  # for the layers above do drop
    assert torch.equal(seen["0"], below)


@pytest.mark.parametrize(("samples", "expected"), [(640, 5), (8, 1), (100_000, 16)])
def test_a_bucket_is_a_part_of_the_epoch(tmp_path, samples, expected):
    (tmp_path / "a.yaml").write_text("modality: text\ndata: {train: docstrings}\nbackbone: tiny_text\n")
    assert epoch_sampler_of(load(tmp_path / "a.yaml"), samples).bucket == expected
    assert epoch_sampler_of(load(tmp_path / "a.yaml", ["data.bucket=7"]), samples).bucket == 7
