from collections import Counter

import pytest

from ftaug.data.shards.members import is_ignored, relative_name
from ftaug.errors import BadData


@pytest.mark.parametrize(
    ("name", "relative"),
    [(b"a.jpg", b"a.jpg"), (b"./a/b.jpg", b"a/b.jpg"), (b"a//b/./c", b"a/b/c"), (b"a..b/c..", b"a..b/c..")],
)
def test_names_are_relative(name, relative):
    assert relative_name(name) == relative


@pytest.mark.parametrize("name", [b"../a.jpg", b"a/../../b.jpg", b"/etc/passwd", b"..", b"a/.."])
def test_names_that_lead_out_of_the_folder_are_refused(name):
    with pytest.raises(BadData, match="leads out of the folder"):
        relative_name(name)


def test_hidden_and_system_files_are_counted():
    ignored = Counter()
    names = [b".a", b"x/.git/b", b"__MACOSX/c.jpg", b"x/Thumbs.db", b"x/a.jpg", b"a"]
    assert [is_ignored(name, ignored) for name in names] == [True] * 4 + [False] * 2
    assert ignored == {"file hidden or of the system": 4}
