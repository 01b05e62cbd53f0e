import pytest
import torch

from ftaug.interfaces.explanation import ExplainedOutput


def output_of(activation, index=1, batch_size=32):
    model = torch.nn.Identity()
    return ExplainedOutput(model, model, (), activation, index, batch_size)


def test_the_score_of_a_class_is_its_log_odds():
    logits = torch.tensor([[1.0, 2.5, -1.0], [0.0, 0.0, 0.0]])
    probability = logits.softmax(dim=1)[:, 1]
    assert output_of("softmax").score(logits).tolist() == pytest.approx(
        (probability / (1 - probability)).log().tolist()
    )


@pytest.mark.parametrize("activation", ["sigmoid", "identity"])
def test_the_score_of_a_label_or_a_number_is_its_logit_or_value(activation):
    assert output_of(activation).score(torch.tensor([[1.0, 2.5]])).tolist() == [2.5]


def test_scores_in_batches_are_those_at_once():
    logits = torch.randn(7, 3)
    assert output_of("softmax", batch_size=2).scores(logits) == pytest.approx(output_of("softmax").scores(logits))
