import pytest

from ftaug.cli import run
from ftaug.runs.export.parity import Allowance
from ftaug.runs.export.reference import Reference
from ftaug.runs.open_run import open_run

EXPERIMENT = """
data: {train: {digits: {per_class: 4}}, val: {split: 50%}, batch_size: 8, workers: 0}
backbone: {resnet20: {weights: none}}
train: {epochs: 1, precision: fp32}
"""


@pytest.fixture
def reference(tmp_path):
    (tmp_path / "digits.yaml").write_text(EXPERIMENT)
    assert run(["train", str(tmp_path / "digits.yaml"), "--run-dir", str(tmp_path / "run"), "--device", "cpu"]) == 0
    return Reference.of(open_run(tmp_path / "run", "cpu"))


def test_the_model_is_run_once_for_all_formats(reference):
    batches = []
    model = reference.bundle.model
    model.register_forward_hook(lambda *arguments: batches.append(len(arguments[1][0])))
    shifts = (0.0, 0.25)
    # An artifact that calls the network without the hook of the model around it.
    comparisons = [
        reference.compare(lambda batch, shift=shift: {"logits": model.forward(batch.inputs) + shift}, Allowance())
        for shift in shifts
    ]
    assert sum(batches) == len(reference.synthetic) + len(reference.split)
    for comparison, shift in zip(comparisons, shifts, strict=True):
        assert [parity.split for parity in comparison.parities] == ["synthetic", "val"]
        for parity in comparison.parities:
            assert parity.largest_difference == pytest.approx(shift, abs=1e-5)
            assert parity.largest_probability_difference < 1e-5  # all logits of a sample are shifted alike
