"""Tensors of two checkpoints are compared bit by bit."""

import torch
from safetensors.torch import save_file

from ftaug.engine.system.checkpoint_diff import TensorDifference, compare_checkpoints


def write(folder, **files):
    folder.mkdir()
    for name, tensors in files.items():
        save_file(tensors, folder / f"{name}.safetensors")
    return folder


def test_what_differs(tmp_path):
    base = {
        "a": torch.tensor([1.0, -4.0]),
        "b": torch.arange(4),
        "c": torch.zeros(2, 2, dtype=torch.bfloat16),
        "zero": torch.tensor([0.0]),
        "scalar": torch.tensor(2.0),
    }
    other = {
        **base,
        "a": torch.tensor([1.0, -3.5]),
        "c": torch.zeros(4, dtype=torch.bfloat16),
        "zero": torch.tensor([-0.0]),
        "d": torch.ones(1),
    }
    del other["b"]
    first, second = write(tmp_path / "1", model=base), write(tmp_path / "2", model=other, ema=base)
    ema, model = compare_checkpoints(first, second)
    assert (ema.file, ema.tensors, {each.what for each in ema.differing}) == ("ema", 5, {"only in the second"})
    assert model.tensors == 6
    assert model.differing == [
        TensorDifference("a", 0.5, 0.125),
        TensorDifference("b", None, None, "only in the first"),
        TensorDifference("c", None, None, "bfloat16 (2, 2) and bfloat16 (4,)"),
        TensorDifference("d", None, None, "only in the second"),
        TensorDifference("zero", 0.0, 0.0),  # -0.0 has other bits
    ]
    assert model.largest.name == "b"


def test_the_same_bits(tmp_path):
    tensors = {"a": torch.randn(3), "scalar": torch.tensor(1)}
    (model,) = compare_checkpoints(write(tmp_path / "1", model=tensors), write(tmp_path / "2", model=tensors))
    assert (model.tensors, model.differing, model.largest) == (2, [], None)
