"""A packed list of byte strings is the list."""

import pytest

from ftaug.data.packed import Packed


def test_packed_gives_back_what_it_was_given():
    strings = [b"", b"a", b"\xff\n", b"", b"longer"]
    packed = Packed.of(strings)
    assert len(packed) == 5 and [packed[i] for i in range(5)] == strings and list(packed) == strings
    assert len(Packed.of([])) == 0


@pytest.mark.parametrize("index", [-1, 2])
def test_an_index_outside_the_list(index):
    with pytest.raises(IndexError):
        Packed.of([b"a", b""])[index]
