"""Spare processes the import of torch's compiler, which takes as long as that of torch itself."""

import inspect
from types import FunctionType

import torch
from torch.optim import Optimizer


def spare() -> None:
    """Let optimizers run as they are.

    When one is created, and when it steps, torch imports its compiler to keep the optimizer out of compiled graphs.
    ftaug compiles no graph that one could be in. Where torch does this in another way, nothing is changed.
    """
    for _, method in inspect.getmembers(Optimizer, inspect.isfunction):
        if method.__code__.co_filename.endswith("_compile.py"):
            plain = inspect.unwrap(method)
            plain.__dict__["__dynamo_disable"] = plain
    for optimizer in Optimizer.__subclasses__():
        step = vars(optimizer).get("step")
        if isinstance(step, FunctionType) and step.__code__.co_name == "_use_grad":
            optimizer.step = torch.no_grad()(inspect.unwrap(step))  # type: ignore[method-assign]
