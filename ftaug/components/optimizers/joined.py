"""Combine several optimizers into one, for methods that treat some parameters differently (Muon)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch.optim import Optimizer


def joined(groups: Sequence[Mapping[str, Any]], parts: Sequence[Optimizer]) -> Optimizer:
    """Build one optimizer over all groups that steps several; groups name the source of their rate in `source`."""
    from torch.optim import Optimizer

    class Joined(Optimizer):
        def __init__(self) -> None:
            super().__init__([dict(group) for group in groups], {})
            self._share()

        def _share(self) -> None:
            for part in parts:
                part.state = self.state

        def step(self, closure: Any = None) -> Any:
            result = None if closure is None else closure()
            for part in parts:
                for group in part.param_groups:
                    group["lr"] = self.param_groups[group["source"]]["lr"]
                part.step()
            return result

        def load_state_dict(self, state_dict: dict[str, Any]) -> None:
            super().load_state_dict(state_dict)
            self._share()

    return Joined()
