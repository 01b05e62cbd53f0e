"""Where other words come from: embeddings, a masked-token head, tables, WordNet; and what is said when they are not."""

import json
import sys
import types

import numpy as np
import pytest
import torch
from passages import SPECIALS, WORDS, augmentation, bert_folder, edited, lexicon_of, outcomes, passage, wordpiece
from safetensors.numpy import load_file
from safetensors.torch import save_file

from ftaug.errors import BadData, ExperimentError, MissingInput, Unavailable
from ftaug.text import masked_lm
from ftaug.text.augmentations import sources
from ftaug.text.augmentations.pipeline import Pipeline
from ftaug.text.augmentations.tables import table
from ftaug.text.lexicon import Lexicon


def ahead(op, lexicon, texts=("a good film",)):
    kept = {"path": lexicon.path, "mask": lexicon.mask}
    return Pipeline((op,), {"tokenizer": lexicon.tokenizer, "lexicon": kept}).look_ahead(texts)


def test_neighbors_are_the_nearest_by_angle(bert, lexicon):
    matrix = load_file(bert / "model.safetensors")["bert.embeddings.word_embeddings.weight"]
    names = [*dict.fromkeys([*WORDS.split(), *"abcdefghijklmnopqrstuvwxyz"])]
    rows = matrix[len(SPECIALS) : len(SPECIALS) + len(names)]
    own = rows[names.index("good")]
    angles = rows @ own / np.linalg.norm(rows, axis=1) / np.linalg.norm(own)
    expected = [names[i] for i in np.argsort(-angles) if names[i] != "good"][:5]
    assert lexicon.neighbors("Good", 5) == expected
    assert lexicon.neighbors("unknown") == []
    seen = passage("GOOD zebra", lexicon=lexicon)
    assert outcomes(seen, augmentation("neighbors", nearest=5), 99) == {f"{word.upper()} zebra" for word in expected}


def test_byte_level_words_are_read():
    """A vocabulary of bytes writes é as two characters, and marks the beginning of words."""
    spelt = ["good", "caf\u00c3\u00a9", "na", *(f"w{letter}" for letter in "abcdefgh")]
    words = {f"Ġ{word}": code for code, word in enumerate(spelt)}
    text = json.dumps({"model": {"vocab": {**words, "ing": 90}}})
    assert {"good", "café"} <= set(Lexicon(text, "")._words)
    assert "ing" not in Lexicon(text, "")._words


def test_masked_fill_takes_what_the_head_expects(bert, lexicon):
    """Against the head run by hand: the most likely whole word that is another one."""
    import transformers

    model = transformers.AutoModelForMaskedLM.from_pretrained(bert).eval()
    seen = passage("the Movie is fine", lexicon=lexicon)
    (place,) = (w for w in seen.words if seen[w] == "Movie")
    ids = lexicon.encoding("the [MASK] is fine").ids
    codes, spelt = lexicon.whole_words
    with torch.no_grad():
        row = model(torch.tensor([ids])).logits[0, 2, torch.from_numpy(codes)].numpy()
    ranked = [spelt[i] for i in np.argsort(-row) if spelt[i].lower() != "movie"]
    assert masked_lm.fill(seen, [place], [0.0], 3)[place] == ranked[0]
    assert masked_lm.fill(seen, [place], [0.999999], 3)[place] == ranked[2]
    results = outcomes(seen, augmentation("masked_fill", share=0.2, candidates=1), 40)
    assert f"the {ranked[0].title()} is fine" in results
    assert "the Movie is fine" not in results


def test_masked_fill_leaves_what_the_model_does_not_see(lexicon):
    text = " ".join(["good"] * 200)
    changed = edited(passage(text, lexicon=lexicon), augmentation("masked_fill", share=1.0)).split()
    assert changed[100:] == ["good"] * 100
    assert "good" not in changed[:50]


def test_masked_fill_is_the_same_on_more_threads(lexicon):
    seen, op = passage("the movie is a good story of people", lexicon=lexicon), augmentation("masked_fill", share=0.5)
    threads = torch.get_num_threads()
    try:
        found = []
        for count in (1, 4):
            torch.set_num_threads(count)
            found.append([edited(seen, op, sample) for sample in range(10)])
            assert torch.get_num_threads() == count
    finally:
        torch.set_num_threads(threads)
    assert found[0] == found[1]


def test_a_model_without_the_head_is_said(tmp_path):
    lexicon = lexicon_of(bert_folder(tmp_path / "m", head="classes"))
    with pytest.raises(BadData, match=r"saved without its masked-token head \(cls\.predictions.*use neighbors"):
        ahead(augmentation("masked_fill"), lexicon)
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingInput, match=r"empty is not a folder with a config.json"):
        ahead(augmentation("masked_fill"), Lexicon(wordpiece(), str(tmp_path / "empty")))


def test_weights_that_have_no_neighbors_are_said(tmp_path):
    with pytest.raises(MissingInput, match=r"holds no model\.safetensors"):
        ahead(augmentation("neighbors"), Lexicon(wordpiece(), str(tmp_path)))
    save_file({"x": torch.zeros(2)}, tmp_path / "model.safetensors")
    with pytest.raises(BadData, match="holds no embedding matrix"):
        ahead(augmentation("neighbors"), Lexicon(wordpiece() + " ", str(tmp_path)))


def test_bfloat16_weights_are_read(tmp_path):
    matrix = torch.randn(200, 8)
    save_file({"embeddings.word_embeddings.weight": matrix.bfloat16()}, tmp_path / "model.safetensors")
    assert len(Lexicon(wordpiece(), str(tmp_path)).neighbors("good")) == 8


def test_what_a_tokenizer_lacks_is_said(tmp_path, lexicon):
    without = Lexicon(lexicon.tokenizer, lexicon.path, "")
    for name, hint in (("mask", "use delete"), ("span_cutoff", "set by: delete")):
        with pytest.raises(ExperimentError, match=f"{name}: the backbone's tokenizer has no mask token; {hint}"):
            ahead(augmentation(name), without)
    assert ahead(augmentation("token_cutoff", by="delete"), without) == []
    with pytest.raises(ExperimentError, match="change_case does nothing"):
        ahead(augmentation("one_of", choices=["change_case", "swap"]), lexicon)
    assert ahead(augmentation("change_case"), Lexicon(wordpiece(lowercase=False), "")) == []


def test_tables_say_how_many_texts_they_have(tables, lexicon):
    op = augmentation("paraphrases", **{"from": str(tables / "texts.jsonl")})
    assert ahead(op, lexicon, ["a FINE  film", "x", "y", "z"]) == [
        "paraphrases: texts.jsonl has 1 of the 4 texts (25 %); the others stay"
    ]
    with pytest.raises(BadData, match=r"has none of the 2 training texts; 'text' must hold them as they are"):
        ahead(op, lexicon, ["x", "y"])


@pytest.mark.parametrize(
    ("name", "content", "error", "said"),
    [
        (
            "a.csv",
            "good,fine\n",
            BadData,
            r"a.csv:1: must name the columns, word and others behind it; got .good",
        ),
        ("a.csv", "word,synonym\n", BadData, "has no synonyms"),
        (
            "a.csv",
            'word,synonym\ngood,"fine\n',
            BadData,
            "a.csv:2: the row cannot be read: a cell that",
        ),
        ("a.jsonl", '{"word": "a"}\n', BadData, "a.jsonl:1: no column 'synonyms'; the columns are 'word'"),
        ("a.jsonl", '\n{"word"\n', BadData, "a.jsonl:2: the line is not JSON"),
        ("a.jsonl", "[1]\n", BadData, "a.jsonl:1: the line must be a JSON object"),
        ("a.jsonl", '{"word": "a", "synonyms": [1]}', BadData, "synonyms a text or a list of texts"),
        ("a.txt", "x", BadData, "synonyms reads .csv, .tsv, .jsonl and .parquet, not '.txt'"),
        ("b.csv", None, MissingInput, "no file .*b.csv"),
    ],
)
def test_bad_tables_are_said_by_line(tmp_path, name, content, error, said):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(error, match=said):
        table(tmp_path / name, "word", "synonyms")


def test_tables_of_three_forms_are_one(tmp_path):
    (tmp_path / "a.csv").write_text("\ufeffword,synonym\nGood,fine\ngood,great\n")
    (tmp_path / "a.tsv").write_text("word\ta\tb\ngood\tfine\tgreat\n")
    (tmp_path / "a.jsonl").write_text('{"word": "good", "synonyms": ["fine", "great"]}\n')
    for name in ("a.csv", "a.tsv", "a.jsonl"):
        assert table(tmp_path / name, "word", "synonyms") == {"good": ("fine", "great")}


class Synset:
    def __init__(self, pos, count, *names):
        self.part, self.count, self.names = pos, count, list(names)

    def lemma_names(self):
        return self.names

    def lemmas(self):
        named = [(name, self.count if place == 0 else 0) for place, name in enumerate(self.names)]
        return [types.SimpleNamespace(name=lambda n=n: n, count=lambda c=c: c) for n, c in named]

    def pos(self):
        return self.part


@pytest.fixture
def wordnet(monkeypatch):
    """A stand-in with the calls that are made of nltk's reader."""
    corpus = types.SimpleNamespace(ensure_loaded=lambda: None)
    corpus.synsets = lambda word: {
        "good": [
            Synset("n", 26, "good", "commodity"),
            Synset("a", 100, "good", "full_of_virtue"),
            Synset("s", 20, "Good", "good", "well"),
            Synset("a", 0, "goods", "wares"),
            Synset("r", 13, "good", "soundly"),
        ],
        "movies": [Synset("n", 26, "movie", "film")],
        "in": [Synset("n", 3, "in", "inch")],
        "new": [Synset("n", 0, "new", "novelty"), Synset("a", 0, "new", "raw")],
    }.get(word, [])
    monkeypatch.setitem(sys.modules, "nltk", types.ModuleType("nltk"))
    module = types.ModuleType("nltk.corpus")
    module.wordnet = corpus
    monkeypatch.setitem(sys.modules, "nltk.corpus", module)
    sources.wordnet.cache_clear()
    sources.in_wordnet.cache_clear()
    yield corpus
    sources.wordnet.cache_clear()
    sources.in_wordnet.cache_clear()


def test_wordnet_is_asked_for_base_forms(wordnet):
    op = augmentation("synonyms", **{"from": "wordnet", "share": 1.0})
    assert outcomes("Good movies", op) == {"Full of virtue movies", "Well movies"}


def test_wordnet_is_not_asked_for_stop_words(wordnet):
    """Nor for another part of speech than the word usually is; without a count, the first."""
    for name in ("synonyms", "insert"):
        op = augmentation(name, **{"from": "wordnet", "share": 1.0})
        assert outcomes("in In IN", op) == {"in In IN"}
    assert sources.in_wordnet("new") == ("novelty",)


def test_wordnet_without_its_data_is_said(wordnet, lexicon):
    def fail():
        raise LookupError("a long text")

    wordnet.ensure_loaded = fail
    with pytest.raises(MissingInput, match=r"the WordNet data are missing: python -m nltk.downloader wordnet"):
        ahead(augmentation("synonyms", **{"from": "wordnet"}), lexicon)


def test_nltk_that_is_not_installed_is_said(monkeypatch, lexicon):
    monkeypatch.setitem(sys.modules, "nltk.corpus", None)
    sources.wordnet.cache_clear()
    with pytest.raises(Unavailable, match=r"needs nltk: pip install 'ftaug\[wordnet\]'"):
        ahead(augmentation("insert", **{"from": "wordnet"}), lexicon)
