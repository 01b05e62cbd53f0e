"""Give what a PEFT method added other values, and compare outputs up to rounding."""

import torch

RELATIVE = 1e-5


def assert_close(found, expected):
    """Equal but for rounding, relative to the largest."""
    assert (found - expected).abs().max() <= RELATIVE * expected.abs().max()


def shaken(module, seed=1):
    """Give all that a method added other values than those it starts with."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if ".lora." in f".{name}" or ".ssf." in f".{name}":
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)
