"""Several optimizers behind the face of one, for methods that treat some parameters in another way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch.optim import Optimizer


def joined(parts: Sequence[Optimizer]) -> Optimizer:
    """One optimizer whose groups and state are those of its parts, in their order."""
    from torch.optim import Optimizer

    class Joined(Optimizer):
        def __init__(self) -> None:
            super().__init__([group for part in parts for group in part.param_groups], {})
            self._share()

        def _share(self) -> None:
            groups = iter(self.param_groups)
            for part in parts:
                part.state = self.state
                part.param_groups = [next(groups) for _ in part.param_groups]

        def step(self, closure: Any = None) -> Any:
            result = None if closure is None else closure()
            for part in parts:
                part.step()
            return result

        def load_state_dict(self, state_dict: dict[str, Any]) -> None:
            super().load_state_dict(state_dict)
            self._share()

    return Joined()
