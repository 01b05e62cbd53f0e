"""A new head answers every sample alike at first: the first loss is the entropy of the labels."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from scipy.optimize import minimize
from scipy.stats import entropy
from torch import Tensor, nn

from ftaug.config.registry import Component
from ftaug.engine.loading.split import DataSplit, load_splits
from ftaug.engine.training import head_init
from ftaug.engine.training.build import build
from ftaug.engine.training.fit import accumulate_gradients, batch_feed
from ftaug.engine.training.state import TrainingState
from ftaug.experiment_file import import_components, load
from ftaug.image.backbones.torchvision import NAMES
from ftaug.interfaces.data import ClassCounts, Task
from ftaug.interfaces.model import Backbone, Stage

import_components("image")

CLASSES = ("a", "b", "c", "d", "e")
LABELS = np.repeat(np.arange(5), [1, 2, 3, 4, 10])
SIDES = {"alexnet": 64, "inception": 80, "maxvit": 224, "squeezenet": 64, "vit": 224}
SMALLEST = (
    "alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "googlenet", "inception_v3", "maxvit_t", "mnasnet0_5",
    "mobilenet_v2", "mobilenet_v3_small", "regnet_x_400mf", "resnet18", "shufflenet_v2_x0_5", "squeezenet1_1", "swin_t",
    "vgg11", "vit_b_32",
)  # fmt: skip
TIMM = (
    "test_byobnet", "test_convnext", "test_efficientnet", "test_mambaout", "test_nfnet", "test_resnet", "test_vit",
    "deit_tiny_distilled_patch16_224", "levit_128s", "mixer_s32_224", "poolformer_s12", "caformer_s18", "ghostnet_050",
    "mobilenetv3_small_050", "xcit_nano_12_p16_224", "regnetx_002", "efficientformer_l1", "tf_efficientnet_lite0",
)  # fmt: skip
EXPERIMENT = """
data: {train: {digits: {per_class: 2}}, val: null, workers: 0}
backbone: {resnet20: {weights: letters}}
"""


def made(name: str) -> Backbone:
    return Component("backbone", name, {"weights": "none"}, "image")(CLASSES)


def split_of(labels: np.ndarray, task: Task) -> DataSplit:
    return DataSplit("train", None, np.arange(len(labels)), labels, task)  # type: ignore[arg-type]


def experiment_with(folder: Path, *overrides: str):
    path = folder / "experiment.yaml"
    path.write_text(EXPERIMENT)
    return load(path, overrides)


def state_of(folder: Path, *overrides: str) -> TrainingState:
    experiment = experiment_with(folder, *overrides)
    return build(experiment, "cpu", load_splits(experiment.data, experiment.seed), pretrained=True)


def check_first_loss(folder: Path, name: str, side: int) -> None:
    """The loss of a new network on noise is the entropy of the labels; the logarithm of their number without a bias."""
    built = made(name)
    layers = head_init.last_layers(built.network, built.stages[-1], len(CLASSES))
    assert layers, name
    experiment = experiment_with(folder)
    counts = np.bincount(LABELS)
    head_init.start_at(layers, head_init.best_constant(experiment, split_of(LABELS, Task(CLASSES)), counts))
    with torch.no_grad():
        logits = built.network.eval()(torch.randn(2, 3, side, side)).mean(dim=0, keepdim=True).expand(len(LABELS), -1)
    loss = nn.functional.cross_entropy(logits, torch.from_numpy(LABELS)).item()
    biased = any(layer.bias is not None for layer in layers)
    assert loss == pytest.approx(entropy(counts) if biased else np.log(len(CLASSES)), rel=1e-4), name


def side_of(name: str) -> int:
    return next((side for prefix, side in SIDES.items() if name.startswith(prefix)), 32)


@pytest.mark.parametrize("name", SMALLEST)
def test_first_loss_of_each_family_of_torchvision(tmp_path, name):
    check_first_loss(tmp_path, name, side_of(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NAMES if name not in SMALLEST])
def test_first_loss_of_all_other_networks_of_torchvision(tmp_path, name):
    check_first_loss(tmp_path, name, 518 if name == "vit_h_14" else side_of(name))


@pytest.mark.parametrize("name", TIMM)
def test_first_loss_of_networks_of_timm(tmp_path, name):
    size = made(f"timm/{name}").preprocessing["size"]
    check_first_loss(tmp_path, f"timm/{name}", size[0])


def first_loss(state: TrainingState) -> float:
    loss, *_ = accumulate_gradients(state, 0, batch_feed(state, 0))
    return float(loss)


@pytest.mark.parametrize(
    "loss",
    [
        "cross_entropy",
        "{cross_entropy: {class_weights: balanced}}",
        "{cross_entropy: {class_weights: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], label_smoothing: 0.2}}",
        "{binary_cross_entropy: {positive_weight: 3, label_smoothing: 0.2}}",
        "logit_adjusted",
        "focal",
        "ordinal",
        "binary_cross_entropy",
        "binary_focal",
    ],
)
def test_training_begins_with_the_best_constant_answer(tmp_path, loss):
    """No other constant has a smaller loss, by an optimizer that knows nothing of it."""
    state = state_of(tmp_path, "train.precision=fp32", f"loss={loss}", "data.batch_size=20")
    counts = ClassCounts(torch.from_numpy(state.counts), len(state.splits["train"]))
    targets = torch.from_numpy(state.splits["train"].targets)

    def of_constant(logits: np.ndarray) -> float:
        return float(state.experiment.loss(torch.from_numpy(logits).expand(len(targets), -1), targets, counts))

    least = minimize(of_constant, np.full(10, -1.0), method="L-BFGS-B").fun
    assert first_loss(state) == pytest.approx(least, abs=1e-4)


@pytest.mark.parametrize(
    ("settings", "answer"),
    [
        ({}, np.log([0.1, 0.2, 0.7])),
        ({"class_weights": "balanced"}, np.log([1 / 3, 1 / 3, 1 / 3])),
        ({"class_weights": "[7, 7, 1]"}, np.log([0.7 / 2.8, 1.4 / 2.8, 0.7 / 2.8])),
        ({"label_smoothing": 0.3}, np.log([0.17, 0.24, 0.59])),
    ],
)
def test_cross_entropy_starts_at_the_class_frequencies(tmp_path, settings, answer):
    loss = ", ".join(f"{key}: {value}" for key, value in settings.items())
    experiment = experiment_with(tmp_path, f"loss={{cross_entropy: {{{loss}}}}}")
    split = split_of(np.repeat(np.arange(3), [10, 20, 70]), Task(("a", "b", "c")))
    found = head_init.best_constant(experiment, split, split.counts()).log_softmax(0)
    np.testing.assert_allclose(found, answer - np.log(np.exp(answer).sum()), atol=1e-4)


@pytest.mark.parametrize(("weight", "odds"), [("null", [1 / 3, 1, 3]), ("balanced", [1, 1, 1]), ("2", [2 / 3, 2, 6])])
def test_several_labels_start_at_the_log_odds_of_each(tmp_path, weight, odds):
    experiment = experiment_with(tmp_path, f"loss={{binary_cross_entropy: {{positive_weight: {weight}}}}}")
    labels = np.array([[1, 1, 1], [0, 1, 1], [0, 0, 1], [0, 0, 0]], np.uint8)
    split = split_of(labels, Task(("a", "b", "c"), multi_label=True))
    found = head_init.best_constant(experiment, split, split.counts())
    np.testing.assert_allclose(found, np.log(odds), atol=1e-4)


def test_a_class_or_label_that_is_never_or_always_there_gets_a_finite_answer(tmp_path):
    experiment = experiment_with(tmp_path)
    split = split_of(np.array([0, 0, 0, 2]), Task(("a", "b", "c")))
    assert torch.isfinite(head_init.best_constant(experiment, split, split.counts())).all()
    experiment = experiment_with(tmp_path, "loss=binary_cross_entropy")
    split = split_of(np.array([[0, 1], [0, 1]], np.uint8), Task(("a", "b"), multi_label=True))
    assert head_init.best_constant(experiment, split, split.counts()).abs().max() < 5


def test_a_label_of_every_sample_that_weighs_nothing_is_predicted(tmp_path):
    """Negatives over positives are 0 there: without a gradient it would stay at whatever it starts at."""
    experiment = experiment_with(tmp_path, "loss={binary_cross_entropy: {positive_weight: balanced}}")
    split = split_of(np.array([[0, 1, 1], [0, 1, 0]], np.uint8), Task(("a", "b", "c"), multi_label=True))
    never, always, half = head_init.best_constant(experiment, split, split.counts()).sigmoid().tolist()
    assert never < 0.5 < always and half == pytest.approx(0.5)


def test_numbers_start_at_their_mean(tmp_path):
    experiment = experiment_with(tmp_path, "data.train={image_table: {path: x.csv, target: x}}")
    split = split_of(np.array([[3.0], [5.0]], np.float32), Task(("x",), regression=True))
    assert head_init.best_constant(experiment, split, split.counts()).tolist() == [0.0]  # standardized


def network_of(*layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(*layers)


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda: network_of(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 5)), [2]),  # a hidden layer as wide as the output
        (lambda: network_of(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 5)), [2]),
        (lambda: network_of(nn.Linear(4, 5), nn.Linear(4, 5)), [0, 1]),  # side by side
        (lambda: network_of(nn.Linear(4, 3)), []),
    ],
)
def test_the_last_layers_of_a_head(make: Callable[[], nn.Sequential], found: list[int]):
    network = make()
    head = Stage("head", tuple(str(index) for index in range(len(network))))
    assert head_init.last_layers(network, head, 5) == [network[index] for index in found]


def test_squeezenet_can_give_any_logit():
    network = made("squeezenet1_1").network.eval()
    assert network(torch.randn(4, 3, 64, 64) * 5).min() < 0


def last_weight(state: TrainingState) -> Tensor:
    return state.model.network.fc.weight


def test_the_library_s_initialization_can_be_had_back(tmp_path):
    assert last_weight(state_of(tmp_path)).abs().max() == 0
    assert last_weight(state_of(tmp_path, "head_init=library")).std() > 0.01


def test_a_network_without_pretrained_weights_keeps_its_head(tmp_path):
    """From scratch, layers below a head of zeros learn next to nothing in a short run."""
    state = state_of(tmp_path, "backbone.resnet20.weights=none")
    assert last_weight(state).std() > 0.01 and not state.new_head
    built = made("resnet20")
    before = {name: tensor.clone() for name, tensor in built.network.state_dict().items()}
    assert not head_init.load_weights(built, len(CLASSES)).pretrained
    assert all(torch.equal(tensor, before[name]) for name, tensor in built.network.state_dict().items())


def test_a_head_for_the_same_classes_stays_what_it_is(tmp_path):
    trained = state_of(tmp_path, "head_init=library")
    classes = '{"classes": ' + str(list(trained.task.classes)).replace("'", '"') + "}"
    file = tmp_path / "w.safetensors"
    save_file(
        {name: tensor.contiguous() for name, tensor in trained.model.network.state_dict().items()},
        file,
        {"ftaug": classes},
    )
    again = state_of(tmp_path, f"backbone.resnet20.weights={file}")
    assert torch.equal(last_weight(again), last_weight(trained))


def test_a_checkpoint_is_not_touched(tmp_path):
    experiment = experiment_with(tmp_path)
    state = build(experiment, "cpu", load_splits(experiment.data, experiment.seed), pretrained=False)
    assert last_weight(state).std() > 0.01  # about to be filled
