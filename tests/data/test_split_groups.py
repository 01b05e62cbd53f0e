"""Groups that a split keeps together, against connected components."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ftaug.data import split_groups

LABELS = st.lists(st.tuples(st.integers(-3, 12), st.integers(-3, 12), st.integers(-3, 12)), max_size=25)


@given(LABELS)
def test_joined_labelings_are_the_connected_components(rows):
    labelings = np.array(rows, np.int64).reshape(-1, 3).T
    found = split_groups.joined(*labelings)
    pairs = [(i, j) for labels in labelings for i in range(len(rows)) for j in range(i) if labels[i] == labels[j]]
    first, second = np.array(pairs, np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(pairs)), (first, second)), shape=(len(rows), len(rows)))
    expected = connected_components(graph, directed=False)[1] if rows else np.zeros(0)
    assert (found[:, None] == found).tolist() == (expected[:, None] == expected).tolist()
    assert [group for place, group in enumerate(found) if group not in found[:place]] == [*range(len(set(found)))]


def test_samples_that_all_stand_alone_need_no_groups():
    assert split_groups.equal("abc") is None and split_groups.joined(None, None) is None
    assert split_groups.equal("abab").tolist() == [0, 1, 0, 1]
    assert split_groups.joined(None, np.array([5, 5, 2])).tolist() == [0, 0, 1]
