"""What every op owes to any text: edits in order and in place, protected parts kept, the same draw the same text."""

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from passages import OPS, augmentation, draws, edited, outcomes, passage

from ftaug.config.registry import REGISTRIES
from ftaug.config.severity import at_severity, governed
from ftaug.text.edits import Edits, Passage, Protection, Rewritten
from ftaug.text.segmentation import characters_of

ENTRIES = REGISTRIES["augmentation", "text"]
CHARACTERS = ("swap_characters", "drop_characters", "insert_characters", "repeat")
LONG = (
    "The good movie was not bad. It is a story of 1,250 people who lived in London! They will see it again, "
    "won't they? We saw a very good film. It's really fine. You are right about the dog, and they have left."
)
ODD = ["", " ", "\n\n", "word", "👍🏽", "👩‍👩‍👧 🇩🇪", "我喜欢这部电影。", "สวัสดีครับ", "שלום עולם"]
ODD += ["e\u0301a\u0308", "...", "\u200d", "no", "\ufeffA"]
PIECES = st.one_of(
    st.text(max_size=6),
    st.sampled_from(["good", "movie", "not", "isn't", "It's", "1,250", ". ", "! ", "New York"]),
    st.sampled_from(["\u0301", "👍🏽", "电影", "ب"]),
)
TEXTS = st.lists(st.one_of(PIECES, st.just(" ")), max_size=14).map("".join)


@pytest.fixture
def made(tables):
    given = {"synonyms": {"from": str(tables / "words.csv")}, "paraphrases": {"from": str(tables / "texts.jsonl")}}
    return lambda name, **changes: augmentation(name, **{**given.get(name, {}), **changes})


def followed(seen: Passage, drawn) -> None:
    """Do the draws one after another and look at each."""
    for draw in drawn:
        later = draw.output_view(seen)
        if isinstance(draw, Protection):
            seen = later
            continue
        assert isinstance(draw, Edits)
        text = seen.text
        assert draw.edits
        for edit in draw.edits:
            assert 0 <= edit.start <= edit.end <= len(text)
            assert text[edit.start : edit.end] != edit.text
        assert all(one.end <= other.start for one, other in pairwise(draw.edits))
        for start, end, new in reversed(draw.edits):
            text = text[:start] + new + text[end:]
        assert later.text == text
        kept = sorted(seen[span] for span in seen.protected)
        assert sorted(later[span] for span in later.protected) == kept
        assert list(later.protected) == sorted(later.protected)
        if not isinstance(draw, Rewritten):
            for span in seen.protected:
                inside = [e for e in draw.edits if e.start < span.end and span.start < e.end]
                assert not inside
        seen = later


@pytest.mark.parametrize("name", OPS)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXTS, sample=st.integers(0, 1000), step=st.integers(1, 4), strength=st.sampled_from([0.2, 1.0]))
def test_edits_are_in_place(name, made, lexicon, text, sample, step, strength):
    words = passage(text).words
    seen = passage(text, protected=words[::step], lexicon=lexicon)
    op = made(name)
    op = at_severity(op, strength) if governed(ENTRIES[name]) else op
    drawn = draws(seen, op, sample)
    followed(seen, drawn)
    assert draws(passage(text, protected=words[::step], lexicon=lexicon), op, sample) == drawn
    followed(passage(text, lexicon=lexicon), draws(passage(text, lexicon=lexicon), op, sample))


@pytest.mark.parametrize("name", OPS)
@pytest.mark.parametrize("text", ODD)
def test_takes_odd_texts(name, made, lexicon, text):
    for sample in range(5):
        seen = passage(text, lexicon=lexicon)
        op = made(name)
        followed(seen, draws(seen, at_severity(op, 1.0) if governed(ENTRIES[name]) else op, sample))


@pytest.mark.parametrize("name", [name for name in OPS if governed(ENTRIES[name])])
def test_grows_from_nothing(name, made, lexicon):
    text = "A fine film" if name == "paraphrases" else LONG
    seen = passage(text, lexicon=lexicon)
    sizes = []
    for severity in (0, 0.33, 0.66, 1):
        op = at_severity(made(name), severity)
        sizes.append(sum(len(draw.edits) for sample in range(20) for draw in draws(seen, op, sample)))
        assert op == made(name, severity=severity) or name in ("synonyms", "paraphrases")
    if name == "crop_sentences":  # one edit at either end, whatever they cut
        sizes = [-len(edited(passage(text, protected=()), at_severity(made(name), s))) for s in (0, 0.33, 0.66, 1)]
        assert sizes[0] == -len(text)
    else:
        assert sizes[0] == 0
    assert all(later >= earlier for earlier, later in pairwise(sizes)), sizes
    assert sizes[-1] > sizes[0]


def test_every_op_has_a_severity():
    assert {name for name in OPS if not governed(ENTRIES[name])} == {"protect"}


@pytest.mark.parametrize("name", OPS)
def test_may_do_nothing(name, made, lexicon):
    if "probability" not in made(name).settings:
        assert name == "protect"
        return
    assert outcomes(passage(LONG, lexicon=lexicon), made(name, probability=0.0), 10) == {LONG}


@pytest.mark.parametrize("name", CHARACTERS)
def test_characters_stay_whole(name):
    """Marks stay on their letters."""
    text = "re\u0301sume\u0301 नमस्ते Zu\u0308rich e\u0301te\u0301 กำลัง"
    whole = set(characters_of(text))
    for sample in range(60):
        changed = edited(text, augmentation(name, share=1.0), sample)
        assert set(characters_of(changed)) <= whole
        assert changed.count(" ") == text.count(" ")


@pytest.mark.parametrize("name", ["swap", "mask", "keyboard", "ocr", "drop_characters", "change_case", "neighbors"])
def test_leaves_what_stands_between_words(name, lexicon):
    text = "  A good\t\tmovie ,  really ;\n (very) fine !  "
    for sample in range(20):
        seen = passage(text, lexicon=lexicon)
        changed = edited(seen, augmentation(name, share=1.0), sample)
        between, at = [], 0
        for word in seen.words:
            between.append(text[at : word.start])
            at = word.end
        place = 0
        for gap in [*between, text[at:]]:
            place = changed.index(gap, place) + len(gap)
