import difflib

import pytest

from ftaug.engine.loading.seeds import streams
from ftaug.experiment_file import import_components
from ftaug.text.backbones.tiny_text import tiny_text
from ftaug.text.corruptions import corruptions
from ftaug.text.samples import corrupting_pipeline
from ftaug.text.types import Text

import_components("text")
TEXT = (
    "The Committee Published A Report about Public Transport in Several Large Cities of Northern Europe during winter"
)


@pytest.fixture(scope="module")
def preprocessing():
    return tiny_text(("a", "b"), weights="none").preprocessing


def corrupted(member, level, preprocessing, sample):
    pipeline = corrupting_pipeline((member.levels[level],), preprocessing)
    return pipeline.augmented(Text(TEXT), streams(0, 0, sample))[0].first


def distance(first, second):
    return 1 - difflib.SequenceMatcher(None, first, second, autojunk=False).ratio()


def test_every_corruption_changes_more_at_a_higher_level(preprocessing):
    cased = {**preprocessing, "tokenizer": preprocessing["tokenizer"].replace('"lowercase":true', '"lowercase":false')}
    members = corruptions(cased).members
    assert {member.category for member in members} == {"typos", "case", "punctuation"}
    for member in members:
        changes = [
            sum(distance(TEXT, corrupted(member, level, cased, sample)) for sample in range(20)) for level in (0, 2, 4)
        ]
        assert 0 < changes[0] < changes[1] < changes[2], member.name


def test_the_same_sample_is_corrupted_in_the_same_way(preprocessing):
    for member in corruptions(preprocessing).members:
        assert corrupted(member, 4, preprocessing, 3) == corrupted(member, 4, preprocessing, 3)


def test_case_is_left_out_of_a_tokenizer_that_ignores_it(preprocessing):
    known = corruptions(preprocessing)
    assert {member.category for member in known.members} == {"typos", "punctuation"}
    assert known.notes[0] == "case is left out: the backbone's tokenizer puts all in lower case"
