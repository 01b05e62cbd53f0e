"""Dropout on a CPU: the rate, the scale, the gradient, and that attention is what transformers computes."""

from pathlib import Path

import pytest
import tiny_models as models
import torch
import transformers
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

from ftaug.text.cpu_dropout import LEVELS, Dropout, attention, dropped, use_fast_dropout


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_elements_are_dropped_at_the_rate_and_the_others_scaled(rate: float) -> None:
    torch.manual_seed(0)
    values = torch.rand(400, 1001) + 1
    found = dropped(values, rate)
    zero = found == 0
    assert zero.float().mean().item() == pytest.approx(rate, abs=5 * (rate * (1 - rate) / values.numel()) ** 0.5)
    exact = round(rate * LEVELS) / LEVELS
    torch.testing.assert_close(found[~zero], values[~zero] / (1 - exact))
    rows = zero.float().mean(dim=1)
    assert rows.std().item() == pytest.approx((rate * (1 - rate) / 1001) ** 0.5, rel=0.2)  # no pattern in them


def test_the_gradient_goes_where_the_values_went() -> None:
    torch.manual_seed(0)
    values = torch.rand(7, 9, dtype=torch.float64).requires_grad_()
    found = dropped(values, 0.3)
    found.backward(torch.full_like(found, 2.0))
    assert values.grad is not None
    scale = 1 / (1 - round(0.3 * LEVELS) / LEVELS)
    torch.testing.assert_close(values.grad, (found != 0) * values.new_tensor(2 * scale))


def test_torchs_seed_says_what_is_dropped() -> None:
    values = torch.ones(5, 11)
    drawn = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        drawn.append((dropped(values, 0.5), dropped(values, 0.5)))
    assert torch.equal(drawn[0][0], drawn[1][0])
    assert torch.equal(drawn[0][1], drawn[1][1])
    assert not torch.equal(drawn[0][0], drawn[0][1])
    assert not torch.equal(drawn[0][0], drawn[2][0])


def test_nothing_and_all_may_be_dropped() -> None:
    values = torch.rand(3, 4)
    assert torch.equal(dropped(values, 0.0), values)
    assert torch.equal(dropped(values, 1.0), torch.zeros(3, 4))
    assert torch.equal(Dropout(0.5).eval()(values), values)


@pytest.mark.parametrize("masked", [False, True])
def test_attention_is_that_of_torch(masked: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a dropout that drops nothing, its arithmetic is that of torch's own."""
    monkeypatch.setattr("ftaug.text.cpu_dropout.dropped", lambda values, rate: values)
    torch.manual_seed(0)
    query, key, value = (torch.randn(2, 3, 5, 8) for _ in range(3))
    mask = (torch.arange(5) < torch.tensor([[5], [3]])).view(2, 1, 1, 5).expand(2, 1, 5, 5) if masked else None
    expected = scaled_dot_product_attention(query, key, value, attn_mask=mask).transpose(1, 2)
    for dropout in (0.0, 0.1):
        module = nn.Module()
        found, _ = attention(module, query, key, value, mask, dropout=dropout, is_causal=False)
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("family", models.FAMILIES)
def test_the_mean_of_many_passes_is_that_of_transformers(family: str) -> None:
    """In training, over many draws; the two differ by their random numbers alone."""
    torch.manual_seed(0)
    rates = {"hidden_dropout_prob": 0.2, "attention_probs_dropout_prob": 0.3, "dropout": 0.2, "attention_dropout": 0.3}
    known = models.config_of(family)
    config = models.config_of(family, **{name: rate for name, rate in rates.items() if hasattr(known, name)})
    theirs = transformers.AutoModel.from_config(config).train()
    ours = transformers.AutoModel.from_config(config).train()
    ours.load_state_dict(theirs.state_dict())
    use_fast_dropout(ours)
    ids = torch.randint(5, 20, (1, 8)).repeat(3000, 1)
    mask = torch.ones_like(ids)
    mask[:, 6:] = 0
    with torch.no_grad():
        one, other = (model(input_ids=ids, attention_mask=mask)[0][:, :6].double() for model in (theirs, ours))
    spread = ((one.var(dim=0) + other.var(dim=0)) / len(ids)).sqrt().clamp(min=1e-6)
    far = ((one.mean(dim=0) - other.mean(dim=0)) / spread).abs()
    assert far.max().item() < 5
    assert (one.var(dim=0).mean() / other.var(dim=0).mean()).item() == pytest.approx(1, rel=0.05)


def test_what_is_saved_knows_nothing_of_it(tmp_path: Path) -> None:
    model = transformers.AutoModel.from_config(models.config_of("bert"))
    use_fast_dropout(model)
    model.save_pretrained(tmp_path)
    assert "ftaug" not in (tmp_path / "config.json").read_text()
    assert any(isinstance(module, Dropout) for module in model.modules())
