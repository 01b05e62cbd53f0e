"""The sub-policies of AutoAugment are torchvision's."""

import pytest
from pictures import torchvision_name
from torchvision.transforms import v2

from ftaug.image.augmentations.autoaugment_policies import subpolicies


@pytest.mark.parametrize("policy", list(v2.AutoAugmentPolicy), ids=lambda policy: policy.value)
def test_subpolicies_are_torchvisions(policy):
    for ours, theirs in zip(subpolicies(policy.value), v2.AutoAugment(policy)._policies, strict=True):
        for step, (name, probability, strength) in zip(ours, theirs, strict=True):
            assert (torchvision_name(step.operation), step.probability) == (name, probability)
            assert step.level * 9 == pytest.approx(strength or 0)
