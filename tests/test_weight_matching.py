"""Tensors are paired by order where shapes and roles agree, without the head, and otherwise the first pair is named."""

import pytest
import torch
from torch import nn

from ftaug.interfaces.model import Stage
from ftaug.weight_matching import OrderMismatch, match_by_order, summary

HEAD = Stage("head", ("fc",))


def network():
    """A network whose head is last, as state_dict orders it: BatchNorm's buffers behind its parameters."""
    made = nn.Sequential()
    made.conv, made.bn, made.fc = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2)
    return made.state_dict()


def foreign(classes=5):
    made = nn.Sequential()
    made.stem, made.norm, made.classifier = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, classes)
    return made.state_dict()


PAIRS = {
    "conv.weight": "stem.weight",
    "conv.bias": "stem.bias",
    "bn.weight": "norm.weight",
    "bn.bias": "norm.bias",
    "bn.running_mean": "norm.running_mean",
    "bn.running_var": "norm.running_var",
}


@pytest.mark.parametrize("classes", [2, 5, 1000])
def test_all_but_the_heads_are_paired(classes):
    assert match_by_order(network(), foreign(classes), HEAD) == PAIRS


@pytest.mark.parametrize("left_out", [["classifier.weight", "classifier.bias"], ["classifier.bias"]])
def test_a_file_may_lack_the_head_or_a_part_of_it(left_out):
    file = foreign()
    for name in left_out:
        del file[name]
    assert match_by_order(network(), file, HEAD) == PAIRS


def test_counters_and_integer_tables_are_left_out_on_both_sides():
    file = foreign()
    del file["norm.num_batches_tracked"]
    assert match_by_order(network(), {"table": torch.arange(9), **file}, HEAD) == PAIRS
    as_floats = {k: v.float() for k, v in foreign().items()}
    assert match_by_order(network(), as_floats, HEAD) == PAIRS


def test_a_head_in_the_middle_is_left_out_where_it_stands():
    ours = {"a.weight": torch.zeros(3), "fc.weight": torch.zeros(2, 3), "b.weight": torch.zeros(5)}
    theirs = {"x.weight": torch.zeros(3), "y.weight": torch.zeros(9, 3), "z.weight": torch.zeros(5)}
    assert match_by_order(ours, theirs, HEAD) == {"a.weight": "x.weight", "b.weight": "z.weight"}


def without(name):
    return {key: tensor for key, tensor in foreign().items() if key != name}


def in_order(*names):
    file = foreign()
    return {name: file[name] for name in names}


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (
            {**foreign(), "stem.weight": torch.zeros(4, 1, 3, 3)},
            "conv.weight is 4×3×3×3, stem.weight in its place is 4×1×3×3",
        ),
        (without("stem.weight"), "conv.weight is 4×3×3×3, stem.bias in its place is 4"),
        (without("norm.bias"), "norm.running_mean in place of bn.bias has another role"),
        (
            {**foreign(), "extra.weight": torch.zeros(1)},
            "the network has 6 tensors without its head, the file 9 in all",
        ),
        (in_order("stem.weight", "stem.bias"), "the network has 6 tensors without its head, the file 2 in all"),
        ({}, "the network has 6 tensors without its head, the file 0 in all"),
        (  # parameters first, as other libraries store them: every shape fits
            in_order("stem.weight", "stem.bias", "norm.running_mean", "norm.running_var", "norm.weight", "norm.bias"),
            "norm.running_mean in place of bn.weight has another role",
        ),
    ],
)
def test_the_first_pair_that_differs_is_named(file, message):
    with pytest.raises(OrderMismatch) as caught:
        match_by_order(network(), file, HEAD)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("ours", "theirs", "refused"),
    [
        ("layer.0.query.weight", "layers.0.k_proj.weight", True),
        ("layer.0.query.weight", "layers.0.q_proj.weight", False),
        ("layer.0.query.weight", "layers.0.attn.in_proj_weight", False),
        ("norm.weight", "norm.beta", True),
        ("norm.weight", "norm.gamma", False),
        ("bn.running_var", "bn.moving_variance", False),
        ("bn.running_var", "bn.moving_mean", True),
    ],
)
def test_names_that_say_another_role_are_refused(ours, theirs, refused):
    def match():
        return match_by_order({ours: torch.zeros(4)}, {theirs: torch.zeros(4)}, HEAD)

    if refused:
        with pytest.raises(OrderMismatch, match="another role"):
            match()
    else:
        assert match() == {ours: theirs}


def test_the_summary_is_one_line():
    assert summary(PAIRS) == (
        "6 tensors matched by order: conv.weight <- stem.weight, conv.bias <- stem.bias, …, "
        "bn.running_var <- norm.running_var (all pairs: ftaug inspect CONFIG --json)"
    )
    assert summary({"a": "b"}).startswith("1 tensors matched by order: a <- b (")
