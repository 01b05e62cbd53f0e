"""The documentation of the standard library: real texts, read and never run, whose names are masked."""

import inspect
import re
import sys
import sysconfig
import textwrap

import numpy as np
import pytest

from ftaug.errors import BadData, MissingInput
from ftaug.text.datasets import stdlib
from ftaug.text.datasets.docstrings import THEME_OF, THEMES, docstrings, standard_library
from ftaug.text.types import Text

SPLITS = ("train", "val", "test")

PLANTED = '''
"""Planted: about the planted module, planted as it is, and nothing else whatever it may be."""
raise SystemExit("a module was run")

# The comment that stands here tells why it does
# so over two lines of the file.

class Gardener:
    """Water the plants of a Gardener with a can, by `can.pour`, waterPlants() or water_plants every day.

    >>> Gardener().water("a plant", "another plant", "some more plants").is_this_an_example_of_it
    True

    Return the number of plants that were watered until the evening of the day.
    """

    if True:
        def water(self):
            """Call water and then rain, on http, HTTP/1.1 or over email, to see to the plants."""

async def again():
    """Return the number of the plants that were watered until the evening of the day."""

def short():
    """Too short to tell."""
'''


@pytest.fixture
def uncached(monkeypatch):
    """Read the sources anew in this test, which takes seconds; all others share what was read."""
    read = stdlib.paragraphs.__wrapped__
    for module in ("stdlib", "docstrings"):
        monkeypatch.setattr(f"ftaug.text.datasets.{module}.paragraphs", read)


@pytest.fixture
def planted(tmp_path, uncached, monkeypatch):
    """A library of two modules and one that no Python can read."""
    (tmp_path / "planted.py").write_text(PLANTED)
    (tmp_path / "garden" / "site-packages").mkdir(parents=True)
    (tmp_path / "garden" / "__init__.py").write_text('"""A garden with beds of flowers, and trees around all of it."""')
    (tmp_path / "garden" / "site-packages" / "other.py").write_text(PLANTED.replace("plant", "animal"))
    (tmp_path / "broken.py").write_text("def (:")
    (tmp_path / "latin.py").write_bytes(b"# caf\xe9 is what this comment is all about, in Latin-1")
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))


def test_names_are_masked_examples_and_repetitions_left_out(planted):
    found = stdlib.paragraphs(None, frozenset({"http", "email"}), comments=True)
    assert [tuple(paragraph) for paragraph in found] == [
        ("garden", "A NAME with beds of flowers, and trees around all of it."),
        ("planted", "Planted: about the NAME module, NAME as it is, and nothing else whatever it may be."),
        ("planted.Gardener", "Water the plants of a NAME with a can, by NAME, NAME or NAME every day."),
        ("planted.Gardener", "Return the number of plants that were watered until the evening of the day."),
        (
            "planted.Gardener.water",
            "Call NAME and then rain, on NAME, NAME/1.1 or over NAME, to see to the plants.",
        ),
        ("planted:5", "The comment that stands here tells why it does so over two lines of the file."),
    ]


def test_only_the_modules_asked_for_are_read(planted):
    found = stdlib.paragraphs(frozenset({"garden"}), frozenset(), comments=True)
    assert {paragraph.module for paragraph in found} == {"garden"}


def test_a_python_without_sources_says_so(planted):
    with pytest.raises(MissingInput, match="this Python lacks the sources of its standard library"):
        docstrings("train")


def test_the_splits_share_no_object_and_no_text():
    parts = [docstrings(split) for split in SPLITS]
    assert sum(map(len, parts)) > 4000
    for sources in ([set(part.sources) for part in parts], [set(part.texts) for part in parts]):
        assert not sources[0] & sources[1] and not sources[0] & sources[2] and not sources[1] & sources[2]
    sizes = np.array([len(part) for part in parts]) / sum(map(len, parts))
    assert np.allclose(sizes, [0.7, 0.15, 0.15], atol=0.03)
    for part in parts:
        assert part.task.classes == tuple(THEMES)
        counts = np.bincount(part.targets, minlength=len(THEMES))
        assert counts.min() > 30 and counts.max() < 0.25 * len(part)
        assert len(np.unique(part.groups)) == len(set(part.sources))


def test_texts_are_the_docstrings_that_inspect_finds():
    """Of modules that this test has imported anyway: word for word but for what is masked."""
    part = docstrings("train")
    compared = 0
    for index, source in enumerate(part.sources):
        owner, _, name = source.rpartition(".")
        found = getattr(sys.modules.get(owner), name, None)
        if not inspect.isfunction(found) or found.__module__ != owner or not found.__doc__:
            continue
        words = set(re.findall(r"[A-Za-z]+", textwrap.dedent(found.__doc__)))
        assert set(re.findall(r"[A-Za-z]+", part.read(index).first)) - {"NAME"} <= words, source
        assert part.task.classes[part.targets[index]] == THEME_OF[owner.partition(".")[0]]
        compared += 1
    assert compared > 50


def test_no_text_names_a_module_of_its_class():
    part = docstrings("train")
    for text, source in zip(part.texts, part.sources, strict=True):
        assert not {word.lower() for word in re.findall(r"\w+", text)} & set(source.split(".")[:1]), (source, text)


def test_a_few_are_a_part_and_validation_is_whole():
    few, more, other = (docstrings("train", per_class=n, subset_seed=s) for n, s in ((4, 0), (9, 0), (4, 1)))
    assert np.bincount(few.targets).tolist() == [4] * len(THEMES)
    assert set(few.texts) <= set(more.texts) <= set(docstrings("train").texts)
    assert len({few.fingerprint, more.fingerprint, other.fingerprint}) == 3
    assert len(docstrings("val", per_class=4)) == len(docstrings("val"))
    assert isinstance(few.read(0), Text) and few.name(0) == few.sources[0]
    with pytest.raises(BadData, match="docstrings: per_class must be at most"):
        docstrings("train", per_class=4000)


def test_reading_the_sources_again_gives_the_same_texts(request):
    before = docstrings("val").fingerprint
    request.getfixturevalue("uncached")
    assert docstrings("val").fingerprint == before


def test_another_python_is_another_fingerprint(monkeypatch):
    before = docstrings("val").fingerprint
    monkeypatch.setattr("platform.python_version", lambda: "3.99.0")
    assert docstrings("val").fingerprint != before
    assert docstrings("val").notes == ("from the documentation of Python 3.99.0",)


def test_a_paragraph_that_holds_an_earlier_one_is_dropped():
    """However much more it says: the earlier one may be in the test split, and this in training."""
    first = "An object that authenticates by a challenge."
    held = stdlib.Paragraph(
        "b", f"{first} It needs the user and the password to be set, and raises an error otherwise."
    )
    other = stdlib.Paragraph("c", "An object that authenticates users needs a name and a password in every session.")
    assert [*stdlib._deduplicated([stdlib.Paragraph("a", first), held, other])] == [stdlib.Paragraph("a", first), other]


@pytest.mark.slow
def test_what_an_encoder_trains_on_holds_no_text_to_measure_by():
    everything = "\n".join(standard_library("train").texts)
    assert len(everything.split()) > 200_000
    for split in ("val", "test"):
        assert not [text for text in docstrings(split).texts if text in everything]
    assert all(text in everything for text in docstrings("train").texts)
