import pytest
import torch
from torch import nn

from ftaug.interfaces.explanation import ExplainedOutput
from ftaug.text.explainers.leave_one_out import leave_one_out


class Counter(nn.Module):
    """One logit: how often token 7 occurs, less half of how often 9 does."""

    def forward(self, inputs):
        ids, mask = inputs[:, 0], inputs[:, 1]
        return (((ids == 7).float() - 0.5 * (ids == 9).float()) * mask).sum(dim=1, keepdim=True)


def values_of(ids):
    sample = torch.stack([torch.tensor(ids), torch.ones(len(ids)).long(), torch.zeros(len(ids)).long()])[None]
    return leave_one_out(ExplainedOutput(Counter(), nn.Identity(), (), "sigmoid", 0, 2), sample).values


def test_a_token_is_worth_what_the_output_drops_without_it():
    assert values_of([2, 7, 9, 5, 7, 3]).tolist() == pytest.approx([0, 1, -0.5, 0, 1, 0])


def test_a_single_token():
    assert values_of([7]).tolist() == [1]
