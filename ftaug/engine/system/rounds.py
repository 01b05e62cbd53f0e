"""Work that the processes of a run do in rounds, so that all of them stop together."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from ftaug.engine.system.ranks import Ranks

Item = TypeVar("Item")

STOP, MORE = "stop", "more"


@dataclass
class Rounds(Generic[Item]):
    """Iterate the items of this process, one in each round of all processes.

    Ends when no process has any left, or after a round in which `carry_on` returned false on one of them.
    """

    ranks: Ranks
    items: Iterable[Item]
    carry_on: Callable[[], bool]
    stopped: bool = False  # whether items are left

    def __iter__(self) -> Iterator[Item]:
        items = iter(self.items)
        while True:
            item = next(items, None)
            if item is not None:
                yield item
            votes = (None if self.carry_on() else STOP, None if item is None else MORE)
            agreed = self.ranks.vote((STOP, MORE), votes)
            self.stopped = STOP in agreed
            if self.stopped or MORE not in agreed:
                return
