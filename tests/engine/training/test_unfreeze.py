"""What learns, when and how fast; and that nothing else moves, by hash over real steps."""

import hashlib
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from ftaug.config.experiment import LearningRate, Train, UnfreezeStage
from ftaug.config.types import Duration
from ftaug.engine.training.unfreeze import frozen_digest, plan
from ftaug.errors import ExperimentError
from ftaug.image.backbones.resnet20 import resnet20
from ftaug.image.backbones.torchvision import torchvision
from ftaug.interfaces.model import Backbone, Stage, TrainingLength
from ftaug.text.backbones.tiny_text import tiny_text

HORIZON = TrainingLength(total_steps=12, epoch_steps=4)


def experiment(*unfreeze, decay_norms=False, **lr):
    """The parts of an experiment that a plan reads."""
    train = Train(decay_norms=decay_norms)
    return SimpleNamespace(unfreeze=unfreeze, method=None, lr=LearningRate(**lr), train=train)


@pytest.fixture
def backbone():
    torch.manual_seed(0)
    return resnet20(range(4), weights="none")


def learning(backbone, *unfreeze, step=0):
    return plan(backbone, experiment(*unfreeze), HORIZON).learning(step)


def parameters(backbone, *prefixes):
    return {name for name, _ in backbone.network.named_parameters() if name.startswith(prefixes)}


@pytest.mark.parametrize(
    ("unfreeze", "message"),
    [
        (["layer3"], "the new head is not among the layers and would never be trained: add head"),
        (["biases"], "add head"),
        ([UnfreezeStage(("all",), Duration(2, "epochs"))], "nothing would be trained before step 8"),
        (
            ["head", UnfreezeStage(("all",), Duration(3, "epochs"))],
            "3 epochs is not before the end of the run, 12 steps",
        ),
        (["all", UnfreezeStage(("layer1",), Duration(1, "epochs"))], "unfreeze.1 has no effect"),
    ],
)
def test_plans_that_cannot_be_meant(backbone, unfreeze, message):
    with pytest.raises(ExperimentError) as caught:
        plan(backbone, experiment(*unfreeze), HORIZON)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def factors(made):
    return {(group.stage, group.from_step): group.lr_factor for group in made.groups}


def test_layer_decay_counts_stages_from_the_head(backbone):
    made = plan(backbone, experiment("all", layer_decay=0.5), HORIZON)
    assert factors(made) == {
        ("stem", 0): 0.0625,
        ("layer1", 0): 0.125,
        ("layer2", 0): 0.25,
        ("layer3", 0): 0.5,
        ("head", 0): 1.0,
    }


def test_factors_multiply_and_a_later_pattern_wins(backbone):
    unfreeze = (UnfreezeStage(("head",)), UnfreezeStage(("layer2", "layer3"), Duration(1, "epochs"), lr=0.5))
    made = plan(backbone, experiment(*unfreeze, layer_decay=0.8, stages={"layer*": 0.1, "layer2": 3.0}), HORIZON)
    assert factors(made) == pytest.approx(
        {("layer2", 4): 0.8**2 * 3.0 * 0.5, ("layer3", 4): 0.8 * 0.1 * 0.5, ("head", 0): 1.0}
    )
    assert made.starts == (0, 4)


def later(layers, step, lr=None):
    return UnfreezeStage(layers, Duration(step, "steps"), lr)


def test_the_factor_of_a_later_stage_applies_to_what_learns_already(backbone):
    unfreeze = (later(("head",), 0, 2.0), later(("layer3",), 3, 0.3), later(("all",), 6, 0.1))
    made = plan(backbone, experiment(*unfreeze, layer_decay=0.5), HORIZON)
    by_stage = {group.stage: group for group in made.groups}
    decay = {"head": 1.0, "layer3": 0.5, "layer2": 0.25}
    course = {"head": [2.0, 2.0, 0.1], "layer3": [None, 0.3, 0.1], "layer2": [None, None, 0.1]}
    for stage, factors in course.items():
        assert by_stage[stage].from_step == 3 * factors.count(None)
        for step, factor in zip((0, 3, 6), factors, strict=True):
            if factor is not None:
                assert by_stage[stage].factor_at(step) == pytest.approx(factor * decay[stage])
                assert by_stage[stage].factor_at(step + 2) == pytest.approx(factor * decay[stage])
    assert made.starts == (0, 3, 6)


def test_a_later_stage_without_a_factor_leaves_the_rate_of_what_learns_already(backbone):
    made = plan(backbone, experiment(later(("head",), 0, 5.0), later(("all",), 6)), HORIZON)
    factors = {group.stage: (group.lr_factor, group.changes) for group in made.groups}
    assert factors["head"] == (5.0, ()) and factors["layer1"] == (1.0, ())


def test_the_first_of_two_entries_of_one_step_counts(backbone):
    made = plan(backbone, experiment(later(("head",), 0), later(("all",), 0, 0.1)), HORIZON)
    assert {group.stage: group.factor_at(11) for group in made.groups}["head"] == 1.0


@pytest.mark.parametrize("stages", [((0, 0.5), (6, 0.5)), ((0, 0.5), (3, 0.1), (6, 0.1))])
def test_a_stage_that_changes_no_rate_is_refused(backbone, stages):
    unfreeze = [later(("all",), step, lr) for step, lr in stages]
    with pytest.raises(ExperimentError, match=rf"unfreeze\.{len(stages) - 1} has no effect: .* at lr: {stages[-1][1]}"):
        plan(backbone, experiment(*unfreeze), HORIZON)


def test_a_factor_for_what_never_learns_is_refused(backbone):
    with pytest.raises(ExperimentError, match="'layer1' has no effect: it is frozen for the whole run"):
        plan(backbone, experiment("head", stages={"layer1": 0.1}), HORIZON)
    with pytest.raises(ExperimentError, match=r"lr\.stages: no stage or layer 'layr1'; did you mean 'layer1'"):
        plan(backbone, experiment("head", stages={"layr1": 0.1}), HORIZON)


@pytest.mark.parametrize("decay_norms", [False, True])
def test_weight_decay_spares_what_is_one_dimensional(backbone, decay_norms):
    made = plan(backbone, experiment("all", decay_norms=decay_norms), HORIZON)
    sizes = {name: parameter.ndim for name, parameter in backbone.network.named_parameters()}
    decays = {name: group.decays for group in made.groups for name in group.names}
    assert decays == {name: decay_norms or ndim > 1 for name, ndim in sizes.items()}


def test_groups_hold_every_learning_parameter_once(backbone):
    made = plan(backbone, experiment("all", layer_decay=0.9), HORIZON)
    names = [name for group in made.groups for name in group.names]
    assert sorted(names) == sorted(name for name, _ in backbone.network.named_parameters())


def fingerprint(tensors):
    """A digest of named tensors that shares no code with ftaug's."""
    return hashlib.sha256(b"".join(name.encode() + tensor.numpy().tobytes() for name, tensor in tensors)).hexdigest()


def train_for(backbone, made, first, last, size=32):
    """Real steps of SGD with momentum and weight decay, all parameters in the optimizer from the start."""
    generator = torch.Generator().manual_seed(first)
    network = backbone.network
    named = dict(network.named_parameters())
    groups = [{"params": [named[n] for n in group.names], "lr": 0.05 * group.lr_factor} for group in made.groups]
    optimizer = torch.optim.SGD(groups, momentum=0.9, weight_decay=0.01)
    for step in range(first, last):
        network.eval()  # as an evaluation leaves it
        made.apply(network, step)
        inputs = torch.randn(4, 3, size, size, generator=generator)
        targets = torch.randint(0, 3, (4,), generator=generator)
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(inputs), targets).backward()
        optimizer.step()


NETWORKS = [
    ("resnet18", 32),
    ("mobilenet_v3_small", 32),
    ("shufflenet_v2_x0_5", 32),
    ("squeezenet1_1", 64),
    ("densenet121", 32),
    ("mnasnet0_5", 32),
    ("regnet_x_400mf", 32),
]


@pytest.mark.parametrize(("name", "size"), NETWORKS)
def test_what_is_frozen_does_not_move(name, size):
    torch.manual_seed(0)
    backbone = torchvision(name, range(3), weights="none")
    last = backbone.stages[-2].name
    made = plan(backbone, experiment(UnfreezeStage(("head",)), UnfreezeStage((last,), Duration(2, "steps"))), HORIZON)
    state, prefixes = backbone.network.state_dict(), {stage.name: stage.modules for stage in backbone.stages}

    def part(*stages):
        wanted = tuple(module for stage in stages for module in prefixes[stage])
        return fingerprint([(k, v) for k, v in state.items() if k.startswith(tuple(f"{w}." for w in wanted))])

    frozen = [stage.name for stage in backbone.stages[:-2]]
    before = {"frozen": part(*frozen), "last": part(last), "head": part("head")}
    digest = frozen_digest(backbone.network, made, 0)
    train_for(backbone, made, 0, 2, size)
    assert part(*frozen) == before["frozen"]
    assert part(last) == before["last"]
    assert part("head") != before["head"]
    assert frozen_digest(backbone.network, made, 0) == digest
    train_for(backbone, made, 2, 4, size)
    assert part(*frozen) == before["frozen"]
    assert part(last) != before["last"]
    assert frozen_digest(backbone.network, made, 0) != digest


def test_what_is_frozen_of_an_encoder_of_texts_does_not_move():
    torch.manual_seed(0)
    backbone = tiny_text(range(3), weights="none")
    stages = (UnfreezeStage(("head",)), UnfreezeStage(("layer4",), Duration(2, "steps")))
    made = plan(backbone, experiment(*stages), HORIZON)
    state = backbone.network.state_dict()

    def part(stage):
        prefixes = next(one.modules for one in backbone.stages if one.name == stage)
        return fingerprint([(k, v) for k, v in state.items() if k.startswith(prefixes)])

    frozen = ("embeddings", "layer1", "layer2", "layer3")
    ids = torch.randint(5, 4000, (4, 3, 9), generator=torch.Generator().manual_seed(0))
    ids[:, 1], ids[:, 2] = 1, 0

    def train(first, last):
        named = dict(backbone.network.named_parameters())
        groups = [{"params": [named[n] for n in group.names], "lr": 0.05} for group in made.groups]
        optimizer = torch.optim.SGD(groups, momentum=0.9, weight_decay=0.01)
        for step in range(first, last):
            made.apply(backbone.network, step)
            optimizer.zero_grad()
            nn.functional.cross_entropy(backbone.network(ids), torch.tensor([0, 1, 2, 0])).backward()
            optimizer.step()

    before = {stage: part(stage) for stage in (*frozen, "layer4", "head")}
    digest = frozen_digest(backbone.network, made, 0)
    train(0, 2)
    assert frozen_digest(backbone.network, made, 0) == digest
    assert {stage for stage, value in before.items() if part(stage) != value} == {"head"}
    train(2, 4)
    assert {stage for stage, value in before.items() if part(stage) != value} == {"layer4", "head"}


def test_frozen_digest_sees_parameters_and_statistics(backbone):
    made = plan(backbone, experiment("head"), HORIZON)
    first = frozen_digest(backbone.network, made, 0)
    network = backbone.network
    for tensor in (network.conv1.weight.data, network.layer2[1].bn1.running_var):
        tensor.view(-1)[0] += 1e-3
        assert frozen_digest(network, made, 0) != first
        tensor.view(-1)[0] -= 1e-3
    network.fc.weight.data += 1.0
    fresh = frozen_digest(network, made, 0)
    network.fc.bias.data += 1.0
    assert frozen_digest(network, made, 0) == fresh


def test_a_batch_norm_follows_the_data_only_when_it_learns(backbone):
    network = backbone.network
    made = plan(backbone, experiment("*.conv1", "layer3.0.bn1", "head"), HORIZON)
    made.apply(network, 0)
    assert network.layer3[0].bn1.training
    assert not network.layer3[0].bn2.training
    assert not network.layer1[0].bn1.training
    assert network.layer1[0].training
    assert not network.bn1.training


def test_dropout_rests_with_its_stage():
    with torch.device("meta"):
        vgg = torchvision("vgg11", range(3), weights="none")
        mobile = torchvision("mobilenet_v2", range(3), weights="none")
        inception = torchvision("inception_v3", range(3), weights="none")
    plan(vgg, experiment("head"), HORIZON).apply(vgg.network, 0)
    assert [vgg.network.classifier[i].training for i in (2, 5)] == [False, True]
    plan(vgg, experiment("hidden", "head"), HORIZON).apply(vgg.network, 0)
    assert [vgg.network.classifier[i].training for i in (2, 5)] == [True, True]
    plan(mobile, experiment("head"), HORIZON).apply(mobile.network, 0)
    assert mobile.network.classifier[0].training
    assert not mobile.network.features[18].training
    plan(inception, experiment("head"), HORIZON).apply(inception.network, 0)
    assert inception.network.dropout.training
    assert not inception.network.Mixed_7c.training


def test_frozen_stages_answer_the_same_every_time():
    torch.manual_seed(0)
    backbone = torchvision("vit_b_32", range(3), weights="none")
    for module in backbone.network.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.5
    made = plan(backbone, experiment("head"), HORIZON)
    made.apply(backbone.network, 0)
    inputs = torch.randn(1, 3, 224, 224)
    assert torch.equal(backbone.network(inputs), backbone.network(inputs))


def test_a_norm_without_affine_parameters_follows_its_stage():
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2, affine=False), nn.Linear(2, 2))
    stages = (Stage("body", ("0", "1")), Stage("head", ("2",)))
    backbone = Backbone(network, stages, {}, lambda: None)
    plan(backbone, experiment("head"), HORIZON).apply(network, 0)
    assert not network[1].training
    plan(backbone, experiment("all"), HORIZON).apply(network, 0)
    assert network[1].training


def test_thawing_sets_requires_grad_both_ways(backbone):
    unfreeze = (UnfreezeStage(("head",)), UnfreezeStage(("layer3",), Duration(50, "%")))
    made = plan(backbone, experiment(*unfreeze), HORIZON)
    for step, expected in ((0, ("fc",)), (5, ("fc",)), (6, ("fc", "layer3")), (0, ("fc",))):
        made.apply(backbone.network, step)
        found = {name for name, parameter in backbone.network.named_parameters() if parameter.requires_grad}
        assert found == parameters(backbone, *expected)
