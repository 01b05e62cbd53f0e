"""Facts are those of each sample of the split in order, whatever the number of workers."""

from types import SimpleNamespace

import numpy as np
import pytest

from ftaug.engine.loading.sample_facts import fact_names, sample_facts
from ftaug.engine.loading.split import DataSplit
from ftaug.errors import BadData, BadSample
from ftaug.interfaces.data import Task


class Numbers:
    def __init__(self, broken=None):
        self.broken = broken

    def read(self, index):
        if index == self.broken:
            raise BadData("cannot be read")
        return index

    def name(self, index):
        return f"numbers[{index}]"


VERBS = SimpleNamespace(sample_facts=lambda raw: {"half": raw / 2, "kind": "odd" if raw % 2 else "even"})


def split(broken=None):
    ids = np.arange(150)[::-1].copy()
    return DataSplit("val", Numbers(broken), ids, np.zeros(150, int), Task(("a", "b")))


@pytest.mark.parametrize("workers", [0, 2])
def test_facts_are_in_the_order_of_the_split(workers):
    facts = sample_facts(split(), VERBS, workers)
    assert facts["half"] == [i / 2 for i in range(149, -1, -1)]
    assert facts["kind"][:2] == ["odd", "even"]
    assert fact_names(split(), VERBS) == ["half", "kind"]


def test_a_sample_that_cannot_be_read_is_named():
    with pytest.raises(BadSample, match=r"numbers\[7\]: cannot be read"):
        sample_facts(split(broken=7), VERBS, 0)
