"""The comparisons of a policy with its reference on other backbones."""

import pytest

from ftaug.errors import ExperimentError
from ftaug.experiment_file import open_experiment
from ftaug.runs.policy.transfer import scaled, targets_of

POLICY = """
data: {train: digits}
backbone: resnet20
augment:
  - one_of: {choices: [{rotate: {severity: 0.1}}, {brightness: {severity: 0.8}}]}
  - horizontal_flip
mix: {mixup: {alpha: 0.2}}
"""

PLAIN = "data: {train: digits}\nbackbone: resnet20\naugment: [rotate]\n"


def targets(write, *backbones, config=POLICY, against=None):
    return targets_of(open_experiment(write(config)), (), backbones, against)


def test_all_severities_are_scaled_and_at_most_1():
    augment = [{"one_of": {"choices": [{"rotate": {"severity": 0.1}}, {"blur": {"severity": 0.8}}]}}, "flip"]
    assert scaled(augment, 1.5) == [
        {"one_of": {"choices": [{"rotate": {"severity": 0.15}}, {"blur": {"severity": 1.0}}]}},
        "flip",
    ]
    assert scaled([{"rotate": {"severity": None, "degrees": 5}}], 2) == [{"rotate": {"severity": None, "degrees": 5}}]


def test_the_policy_at_three_scales_against_trivial_augment(write):
    file = open_experiment(write(POLICY))
    small, large = targets_of(file, (), ["resnet18,timm/convnext_nano"], None)
    assert (small.backbone, large.backbone) == ("resnet18", "timm/convnext_nano")
    baseline = small.design.baseline
    assert ([op.name for op in baseline.augment], baseline.mix, baseline.backbone.name) == (
        ["trivial_augment"],
        None,
        "resnet18",
    )
    assert [each.name for each in small.design.variants] == ["policy × 0.5", "policy × 1", "policy × 1.5"]
    same = file.experiment([*small.overrides, *small.design.variants[1].overrides])
    policy = file.experiment()
    assert (same.augment, same.mix, same.backbone.name) == (policy.augment, policy.mix, "resnet18")
    stronger = file.experiment([*small.overrides, *small.design.variants[2].overrides])
    assert stronger.augment[0] != policy.augment[0]


def test_the_reference_and_policies_without_severity(write):
    (target,) = targets(write, "resnet18", config=PLAIN, against="none")
    assert target.design.baseline.augment == ()
    assert [each.name for each in target.design.variants] == ["policy × 1"]
    config = "modality: text\ndata: {train: docstrings}\nbackbone: tiny_text\naugment: [aeda]\n"
    (text,) = targets(write, "{tiny_text: {weights: none}}", config=config)
    assert text.design.baseline.augment == ()


def test_errors(write):
    with pytest.raises(ExperimentError, match="--to: name the backbones"):
        targets(write)
    with pytest.raises(ExperimentError, match="neither augment nor mix"):
        targets(write, "resnet18", config="data: {train: digits}\nbackbone: resnet20\n")
    with pytest.raises(ExperimentError) as error:
        targets(write, "resnet81,alexnot")
    assert "no backbone 'resnet81'" in str(error.value)
    assert "no backbone 'alexnot'" in str(error.value)
