"""Methods in a run: what stays as it was, what learns when and how fast, and what a stop, a start and a file keep."""

import json
import signal
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from trial_networks import SIZES, backbone, inputs

from ftaug.cli import run
from ftaug.components.peft.lora import lora
from ftaug.components.peft.ssf import ssf
from ftaug.config.experiment import LearningRate, Train, UnfreezeStage
from ftaug.config.types import Duration
from ftaug.engine.loading.split import load_splits
from ftaug.engine.training.build import build, parameter_groups
from ftaug.engine.training.fit import Progress, fit
from ftaug.engine.training.peft import require_gradients
from ftaug.engine.training.unfreeze import ever_learning, plan
from ftaug.errors import ExperimentError
from ftaug.experiment_file import load
from ftaug.interfaces.model import Backbone, PeftModel, Stage, TrainingLength
from ftaug.runs import training
from ftaug.runs.open_run import open_run

EXPERIMENT = """
data: {train: {digits: {per_class: 3}}, val: {split: 33%}, batch_size: 8, workers: 0}
backbone: {resnet20: {weights: letters}}
lr: {peak: 1e-2, schedule: constant}
train: {epochs: 2, precision: fp32}
"""
METHODS = {
    "lora": "method={lora: {rank: 2, dropout: 0.1}}",
    "lora of some": "method={lora: {rank: 2, targets: [layer2, layer3.0.*]}}",
    "ssf": "method=ssf",
    "l2_sp": "method={l2_sp: {backbone_weight: 1}}",
}


def state_of(folder: Path, *overrides: str, pretrained: bool = True):
    path = folder / "experiment.yaml"
    path.write_text(EXPERIMENT)
    experiment = load(path, overrides)
    return build(experiment, "cpu", load_splits(experiment.data, experiment.seed), pretrained=pretrained)


def weights_of(state) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in state.model.network.state_dict().items()}


COMBINATIONS = [
    (method, unfreeze)
    for method in METHODS
    for unfreeze in ("", "unfreeze=[norms, head]", "unfreeze=[layer3, head]")
    if (method, unfreeze) != ("l2_sp", "unfreeze=[norms, head]")
]
"""L2-SP holds weights, and norms have none."""


def test_nothing_to_hold_is_refused(tmp_path):
    with pytest.raises(ExperimentError, match="nothing of the backbone learns by unfreeze"):
        state_of(tmp_path, METHODS["l2_sp"], "unfreeze=[norms, head]")


@pytest.mark.parametrize(("method", "unfreeze"), COMBINATIONS)
def test_what_is_frozen_is_the_same_to_the_bit_after_training(tmp_path, method, unfreeze):
    if method == "lora of some" and "layer3" in unfreeze:
        pytest.skip("refused")
    state = state_of(tmp_path, METHODS[method], *([unfreeze] if unfreeze else []))
    before = weights_of(state)
    list(fit(state, Progress()))
    after = weights_of(state)
    allowed = set(state.method.parameters)
    if method == "l2_sp" and not unfreeze:
        allowed = set(before)
    norms = {n.rpartition(".")[0] for n in before if n.endswith("running_mean")}
    if "norms" in unfreeze:
        allowed |= {name for name in before if name.rpartition(".")[0] in norms}
    if "layer3" in unfreeze:
        allowed |= {name for name in before if name.startswith("layer3")}
    allowed |= {"fc.weight", "fc.bias"}
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved <= allowed
    assert {"fc.weight", *state.method.parameters} <= moved


def test_a_methods_parameters_are_the_same_for_the_same_seed_alone(tmp_path):
    first, again = state_of(tmp_path, METHODS["lora"]), state_of(tmp_path, METHODS["lora"], pretrained=False)
    other = state_of(tmp_path, METHODS["lora"], "seed=1")
    name = "layer1.0.conv1.lora.a"
    assert torch.equal(weights_of(first)[name], weights_of(again)[name])
    assert not torch.equal(weights_of(first)[name], weights_of(other)[name])


def test_l2_sp_holds_the_weights_near_the_start(tmp_path):
    distances = []
    for weight in (0.001, 30):
        state = state_of(tmp_path, f"method={{l2_sp: {{backbone_weight: {weight}}}}}", "train.epochs=4")
        start = weights_of(state)
        list(fit(state, Progress()))
        end = weights_of(state)
        distances.append(sum((end[n] - start[n]).norm().item() for n in start if n.endswith("conv1.weight")))
    assert distances[1] < 0.6 * distances[0]
    assert not any(group["decays"] for group in state.optimizer.param_groups)


def rates_at(made, network, horizon, step):
    """The rate of each parameter at a step, as an optimizer over the groups has it; 0 for what does not learn."""
    optimizer = torch.optim.SGD(parameter_groups(network, made, 0.5))
    made.apply(network, step)
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    rates = dict.fromkeys(names.values(), 0.0)
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            rates[names[id(parameter)]] = group["lr"] if parameter.requires_grad else 0.0
    return rates


@pytest.mark.parametrize("method", [None, lora, ssf])
@pytest.mark.parametrize("name", SIZES)
def test_a_stage_that_thaws_has_its_rate_at_its_step(name, method):
    made = backbone(name)
    names = [stage.name for stage in made.stages]
    block = max(index for index, stage in enumerate(made.stages[:-1]) if not stage.with_head)
    thawed, decay = names[block], 0.5
    unfreeze = (UnfreezeStage(("head",)), UnfreezeStage((thawed,), Duration(5, "steps"), lr=0.1))
    parts = {"unfreeze": unfreeze, "method": None, "lr": LearningRate(layer_decay=decay), "train": Train()}
    experiment = SimpleNamespace(**parts)
    learning = ever_learning(made, experiment)
    adapted = PeftModel()
    if method is not None:
        adapted = method(made, learning, **({"rank": 1} if method is lora else {}))
    network, horizon = made.network, TrainingLength(10, 5)
    made_plan = plan(made, experiment, horizon, adapted.parameters)
    stage = {n: next(i for i, s in enumerate(made.stages) if s.holds(n)) for n, _ in network.named_parameters()
             if n not in adapted.parameters}  # fmt: skip
    stage |= {n: stage[beside] for n, beside in adapted.parameters.items()}
    last = len(names) - 1
    for step in (0, 4, 5, 9):
        expected = {}
        for parameter, index in stage.items():
            factor = decay ** (block + 1 - min(index, block + 1))
            factor *= 0.1 if index == block and parameter not in adapted.parameters else 1
            learns = index == last or parameter in adapted.parameters or (index == block and step >= 5)
            expected[parameter] = 0.5 * factor if learns else 0.0
        assert rates_at(made_plan, network, horizon, step) == pytest.approx(expected)


@pytest.mark.parametrize("method", [lora, ssf])
@pytest.mark.parametrize("name", ["resnet18", "swin", "convnext", "vit", "bert"])
def test_all_that_a_method_adds_is_reached_by_the_loss(name, method):
    made = backbone(name)
    head = frozenset(n for n, _ in made.network.named_parameters() if made.stages[-1].holds(n))
    adapted = method(made, head)
    nn.functional.cross_entropy(made.network(inputs(name, 0)), torch.tensor([0, 1, 2, 0])).backward()
    require_gradients(adapted, made.network)


def test_a_layer_that_is_not_called_is_reported():
    class Bypassing(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.head = nn.Linear(40, 40), nn.Linear(40, 2)

        def forward(self, batch):
            return self.head(batch @ self.inner.weight)

    made = Backbone(Bypassing(), (Stage("body", ("inner",)), Stage("head", ("head",))), {}, lambda: None)
    adapted = lora(made, frozenset({"head.weight", "head.bias"}))
    made.network(torch.randn(2, 40)).sum().backward()
    with pytest.raises(ExperimentError, match="method: inner is not called when the network runs; name others"):
        require_gradients(adapted, made.network)


def test_a_norm_without_parameters_rests_where_only_a_method_learns():
    network = nn.Sequential(nn.Linear(40, 40), nn.BatchNorm1d(40, affine=False), nn.Linear(40, 2))
    made = Backbone(network, (Stage("body", ("0", "1")), Stage("head", ("2",))), {}, lambda: None)
    experiment = SimpleNamespace(unfreeze=("head",), method=None, lr=LearningRate(), train=Train())
    adapted = lora(made, ever_learning(made, experiment))
    plan(made, experiment, TrainingLength(4, 2), adapted.parameters).apply(network, 0)
    assert network[0].training and not network[1].training


def files_of(folder: Path) -> dict[str, bytes]:
    last = max((folder / "checkpoints").iterdir())
    return {path.name: path.read_bytes() for path in last.glob("*.safetensors")}


@pytest.mark.parametrize("method", ["lora", "l2_sp"])
def test_a_run_that_was_stopped_ends_with_the_same_bits(tmp_path, method, monkeypatch, capsys):
    (tmp_path / "e.yaml").write_text(EXPERIMENT)
    line = ["train", str(tmp_path / "e.yaml"), METHODS[method], "train.ema=0.9", "--device", "cpu", "--run-dir"]
    assert run([*line, str(tmp_path / "whole")]) == 0

    def stopped(state, progress):
        for step in fit(state, progress):
            if step.number == 2:
                signal.raise_signal(signal.SIGTERM)
            yield step

    monkeypatch.setattr(training, "fit", stopped)
    assert run([*line, str(tmp_path / "parts")]) == 75
    monkeypatch.undo()
    assert run([*line, str(tmp_path / "parts")]) == 0
    found = files_of(tmp_path / "parts")
    assert found == files_of(tmp_path / "whole")
    assert ("method.safetensors" in found) is (method == "l2_sp")
    capsys.readouterr()


@pytest.fixture(scope="module", params=["lora", "ssf"])
def trained(request, tmp_path_factory):
    """A finished run of each method that adds weights."""
    folder = tmp_path_factory.mktemp(request.param.replace(" ", "_"))
    (folder / "e.yaml").write_text(EXPERIMENT)
    method = "method={lora: {rank: 2}}" if request.param == "lora" else "method=ssf"
    assert run(["train", str(folder / "e.yaml"), method, "--run-dir", str(folder / "run"), "--device", "cpu"]) == 0
    return folder


def test_the_opened_model_answers_as_the_one_that_was_trained(trained):
    opened = open_run(trained / "run", "cpu")
    state = build(opened.experiment, "cpu", opened.splits, pretrained=False)
    checkpoint = load_file(opened.checkpoint / "model.safetensors")
    assert any(".lora." in name or ".ssf." in name for name in checkpoint)
    state.model.network.load_state_dict(checkpoint)
    batch = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (4, 3, 32, 32), np.uint8))
    with torch.inference_mode():
        expected, found = state.model.eval()(batch), opened.model(batch)
    assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()
    plain = build(replace(opened.experiment, method=None), "cpu", opened.splits, pretrained=False)
    assert opened.model.network.state_dict().keys() == plain.model.network.state_dict().keys()


def test_an_adapter_is_small_passes_parity_and_goes_on_where_it_was(trained, capsys):
    assert run(["export", str(trained / "run"), "--format", "adapter", "--format", "safetensors", "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)
    names = ("adapter/e.adapter.safetensors", "safetensors/e.safetensors")
    adapter, whole = (trained / "run" / "exports" / name for name in names)
    assert entries[names[0]]["parity"] is True
    assert adapter.stat().st_size < 0.2 * whole.stat().st_size
    name = next(iter(open_run(trained / "run", "cpu").experiment.method.settings), "")
    settings = "rank: 2, " if name == "rank" else ""
    method = f"method={{{'lora' if settings else 'ssf'}: {{{settings}weights: {adapter}}}}}"
    state = state_of(trained, method)
    kept = load_file(trained / "run" / "best" / "model.safetensors")
    assert all(torch.equal(value, kept[key]) for key, value in state.model.network.state_dict().items())
    for override, message in (
        ("backbone.resnet20.weights=none", "belongs to other pretrained weights; set backbone.weights to those"),
        (method.replace(str(adapter), str(whole)), "is not an adapter; `ftaug export RUN --format adapter` writes one"),
    ):
        assert run(["train", str(trained / "experiment.yaml"), method, override, "--run-dir", str(trained / "x")]) == 65
        assert message in capsys.readouterr().err


def test_another_run_starts_from_the_merged_weights(trained, capsys):
    arguments = ["--from", str(trained / "run"), "--run-dir", str(trained / "next"), "--device", "cpu"]
    assert run(["train", str(trained / "e.yaml"), *arguments, "lr.peak=1e-9", "unfreeze=[head]"]) == 0
    merged = open_run(trained / "run", "cpu").model.network.state_dict()
    found = open_run(trained / "next", "cpu").model.network.state_dict()
    for key, value in found.items():
        torch.testing.assert_close(value, merged[key], rtol=1e-4, atol=1e-6)
    capsys.readouterr()


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["method=lra"], "no method 'lra'; did you mean 'lora'?"),
        (["method={lora: {rank: 0}}"], "method.lora.rank must be a whole number of 1 or more; got 0"),
        (["method=l2_sp", "optimizer.adamw.weight_decay=0.3"], "weight_decay has no effect with method l2_sp"),
        (["method=l2_sp", "train.decay_norms=true"], "train.decay_norms has no effect with method l2_sp"),
    ],
)
def test_experiments_that_cannot_be_meant(tmp_path, overrides, message, capsys):
    (tmp_path / "e.yaml").write_text(EXPERIMENT)
    assert run(["validate", str(tmp_path / "e.yaml"), *overrides]) == 2
    assert message in capsys.readouterr().err


def test_bf16_trains_what_a_method_adds(tmp_path):
    for method in ("lora", "ssf", "l2_sp"):
        state = state_of(tmp_path, METHODS[method], "train.precision=bf16", "train.epochs=1")
        before = weights_of(state)
        assert all(np.isfinite(step.loss.item()) for step in fit(state, Progress()))
        assert all(not torch.equal(before[n], weights_of(state)[n]) for n in state.method.parameters)
