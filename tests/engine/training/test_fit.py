"""The training loop: what it computes, and what it must not depend on."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ftaug.config.kinds import objective as objectives
from ftaug.engine.loading.split import load_splits
from ftaug.engine.training.build import build
from ftaug.engine.training.evaluate import predict_all
from ftaug.engine.training.fit import Progress, Step, accumulate_gradients, batch_feed, fit
from ftaug.engine.training.micro_batch_size import with_micro_batch
from ftaug.engine.training.state import TrainingState
from ftaug.errors import Diverged, ExperimentError
from ftaug.experiment_file import load

EXPERIMENT = """
data: {train: {digits: {per_class: 3}}, val: {split: 33%}, batch_size: 8, workers: 0}
backbone: {resnet20: {weights: none}}
augment: [rotate, random_erasing]
lr: {peak: 1e-2, schedule: {cosine: {warmup: 2 steps}}}
train: {epochs: 2}
"""


def state_of(folder: Path, *overrides: str) -> TrainingState:
    path = folder / "experiment.yaml"
    path.write_text(EXPERIMENT)
    experiment = load(path, overrides)
    return build(experiment, "cpu", load_splits(experiment.data, experiment.seed), pretrained=False)


def train(state: TrainingState) -> list[Step]:
    return list(fit(state, Progress()))


def weights(state: TrainingState) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in state.model.network.state_dict().items()}


def assert_same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


def test_training_is_bit_equal_for_any_number_of_workers(tmp_path: Path) -> None:
    found = []
    for workers in (0, 1, 2):
        state = state_of(tmp_path, f"data.workers={workers}", "mix=mixup")
        losses = [step.loss.item() for step in train(state)]
        found.append((losses, weights(state)))
    for losses, tensors in found[1:]:
        assert losses == found[0][0]
        assert_same(tensors, found[0][1])


def test_another_seed_is_another_run(tmp_path: Path) -> None:
    losses = {tuple(step.loss.item() for step in train(state_of(tmp_path, f"seed={seed}"))) for seed in (0, 1)}
    assert len(losses) == 2


def test_an_evaluation_in_between_changes_nothing(tmp_path: Path) -> None:
    plain, disturbed = state_of(tmp_path), state_of(tmp_path)
    train(plain)
    for _ in fit(disturbed, Progress()):
        torch.rand(7)
        predict_all(disturbed.model, disturbed.prepared("val"), 8, disturbed.device, 0)
    assert_same(weights(plain), weights(disturbed))


def test_steps_carry_the_rate_of_the_schedule(tmp_path: Path) -> None:
    state = state_of(tmp_path)
    schedule, horizon = state.experiment.lr.schedule, state.training_length
    steps = train(state)
    assert [step.number for step in steps] == list(range(1, horizon.total_steps + 1))
    assert [step.rate for step in steps] == [1e-2 * schedule(k, horizon) for k in range(horizon.total_steps)]


def test_accumulated_batches_give_the_gradient_of_the_whole(tmp_path: Path) -> None:
    frozen_norms = ["unfreeze=[head]", "lr.schedule=constant", "train.epochs=1", "augment=[]", "optimizer=sgd"]
    frozen_norms += ["train.precision=fp32"]  # bf16 rounds more than the sums differ
    whole = state_of(tmp_path, "data.batch_size=20", *frozen_norms)
    parts = state_of(tmp_path, "data.batch_size=5", "train.gradient_accumulation=4", *frozen_norms)
    assert whole.training_length == parts.training_length
    assert train(whole)[0].loss.item() == pytest.approx(train(parts)[0].loss.item(), rel=1e-5)
    for name, value in weights(whole).items():
        torch.testing.assert_close(weights(parts)[name], value, rtol=1e-4, atol=1e-6)


def test_what_is_frozen_does_not_move_and_the_rest_does(tmp_path: Path) -> None:
    state = state_of(tmp_path, "unfreeze=[layer3, head]")
    before = weights(state)
    train(state)
    moved = {name for name, value in weights(state).items() if not torch.equal(value, before[name])}
    assert moved
    assert all(name.startswith(("layer3", "fc")) for name in moved)
    assert "layer3.0.bn1.running_mean" in moved


def test_a_staged_plan_thaws_when_it_says(tmp_path: Path) -> None:
    state = state_of(tmp_path, "unfreeze=[{layers: [head]}, {from: 3 steps, layers: [layer3], lr: 0.1}]")
    start = weights(state)
    for step in fit(state, Progress()):
        same = torch.equal(state.model.network.state_dict()["layer3.0.conv1.weight"], start["layer3.0.conv1.weight"])
        assert same == (step.number <= 3)


def test_gradients_are_clipped_to_the_norm(tmp_path: Path) -> None:
    state = state_of(tmp_path, "optimizer={sgd: {momentum: 0, weight_decay: 0}}", "train.clip_norm=0.01", "lr.peak=1")
    previous = {name: p.detach().clone() for name, p in state.model.network.named_parameters()}
    for step in fit(state, Progress()):
        now = dict(state.model.network.named_parameters())
        moved = torch.sqrt(sum(((now[n] - previous[n]).double() ** 2).sum() for n in now))  # type: ignore[arg-type]
        assert step.gradient_norm is not None
        assert moved.item() <= 0.0101 * step.rate
        previous = {name: p.detach().clone() for name, p in now.items()}


def test_a_loss_that_is_no_number_stops_with_the_step(tmp_path: Path) -> None:
    state = state_of(tmp_path)
    with torch.no_grad():
        state.model.network.get_parameter("fc.weight").fill_(float("nan"))
    with pytest.raises(Diverged, match=r"loss of step 1 \(epoch 1\) is nan; try a lower lr\.peak"):
        train(state)


def test_bf16_trains(tmp_path: Path) -> None:
    state = state_of(tmp_path, "train.precision=bf16", "train.epochs=1")
    assert all(np.isfinite(step.loss.item()) for step in train(state))
    assert all(p.dtype == torch.float32 for p in state.model.network.parameters())


def test_one_term_a_class_learns_from_single_labels(tmp_path: Path) -> None:
    steps = train(state_of(tmp_path, "loss=binary_cross_entropy", "train.epochs=8"))
    assert steps[-1].loss.item() < 0.5 * steps[0].loss.item()


@pytest.mark.cuda
def test_training_on_a_gpu_comes_close_to_the_cpu(tmp_path: Path) -> None:
    cpu = state_of(tmp_path)
    losses = [step.loss.item() for step in train(cpu)]
    gpu = build(load(tmp_path / "experiment.yaml", ["train.precision=fp32"]), "cuda", cpu.splits, pretrained=False)
    assert [step.loss.item() for step in train(gpu)] == pytest.approx(losses, rel=0.05)


def test_a_warm_up_that_training_does_not_outlast_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"experiment\.yaml:5:\d+: lr\.schedule\.cosine\.warmup must end before"):
        state_of(tmp_path, "lr.schedule.cosine.warmup=6 steps")


TOKEN_MEAN = """
from ftaug.config.kinds import objective
from ftaug.interfaces import MeanLoss

@objective.register(learns_targets=False)
def items(forward, views, targets, loss):
    \"\"\"A mean over as many items as the class of each sample says; none for class 0.\"\"\"
    import torch

    (batch,) = views
    wanted = torch.arange(10, device=targets.device) < targets.unsqueeze(1)
    values = forward(batch).float()[wanted]
    return MeanLoss(values.square().mean() if len(values) else values.sum(), len(values))

@objective.register
def smooth(forward, views, targets, loss):
    \"\"\"A mean over the samples.\"\"\"
    (batch,) = views
    logits = forward(batch)
    return loss(logits, targets) + logits.square().mean()
"""


@pytest.fixture(scope="module")
def plugin(tmp_path_factory) -> Path:
    """A file that registers objectives; it can be imported once."""
    file = tmp_path_factory.mktemp("plugin") / "own.py"
    file.write_text(TOKEN_MEAN)
    yield file
    for name in ("items", "smooth"):
        objectives._entries.pop(name, None)


IN_PARTS = ("data.batch_size=2", "train.gradient_accumulation=4"), ("train.micro_batch=3",), ("train.micro_batch=1",)


@pytest.mark.parametrize("objective", ["null", "items", "smooth"])
@pytest.mark.parametrize("method", ["null", "l2_sp"])
@pytest.mark.parametrize("parts", IN_PARTS)
def test_a_step_in_parts_has_the_loss_and_the_gradient_of_the_whole(plugin, tmp_path, objective, method, parts) -> None:
    """Also where a loss is the mean over items of which some parts have many and others none."""
    measured = ("data.val=null", "evaluate.metrics=[]", "evaluate.best=loss") if objective == "items" else ()
    common = (f"plugins=[{plugin}]", "augment=[]", f"objective={objective}", f"method={method}", "train.precision=fp32")
    steps = []
    for overrides in ((), parts):
        state = with_micro_batch(state_of(tmp_path, *common, *measured, *overrides))
        state.plan.apply(state.model.network, 0)
        state.model.network.eval()  # BatchNorm sees one part at a time
        loss, samples, _ = accumulate_gradients(state, 0, batch_feed(state, 0))
        gradients = {name: p.grad for name, p in state.model.network.named_parameters()}
        steps.append((loss, samples, gradients))
    (loss, samples, gradients), (loss_in_parts, samples_in_parts, gradients_in_parts) = steps
    assert samples == samples_in_parts
    torch.testing.assert_close(loss_in_parts, loss, rtol=1e-5, atol=1e-6)
    for name, gradient in gradients.items():
        torch.testing.assert_close(
            gradients_in_parts[name], gradient, rtol=1e-3, atol=1e-5 * float(gradient.abs().max())
        )


def test_the_factor_of_a_later_stage_is_the_rate_of_the_optimizer(tmp_path: Path) -> None:
    state = state_of(
        tmp_path,
        "lr={peak: 0.5, schedule: constant}",
        "unfreeze=[{layers: [head]}, {from: 3 steps, layers: [all], lr: 0.1}]",
    )
    rates = []
    for _ in fit(state, Progress()):
        rates.append({group["name"]: group["lr"] for group in state.optimizer.param_groups})
    assert [row["head"] for row in rates] == [0.5] * 3 + [0.05] * (len(rates) - 3)
    assert [row["layer1"] for row in rates[3:]] == [0.05] * (len(rates) - 3)
