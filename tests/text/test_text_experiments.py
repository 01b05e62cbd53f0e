"""Experiments on texts from outside: what `validate` refuses, and a run with many ops that comes to its end."""

import pytest

from ftaug.cli import run
from ftaug.config.dump import digest
from ftaug.experiment_file import load

PLUGIN = '''
import hashlib
import numpy as np
from ftaug.interfaces import Task
from ftaug.text import dataset
from ftaug.text.types import Text

GOOD, BAD = "It was a good movie and we really were {} happy.", "The film is bad, and it is {} not fine."

class Reviews:
    task = Task(("bad", "good"))
    groups = None
    notes = ()
    fingerprint = hashlib.sha256(GOOD.encode()).hexdigest()
    targets = np.arange(24) % 2

    def __len__(self): return 24
    def read(self, index): return Text((BAD, GOOD)[index % 2].format(index))
    def name(self, index): return f"reviews[{index}]"

@dataset.register
def reviews(split):
    """Texts for a test."""
    return Reviews()
'''
EXPERIMENT = """
modality: text
plugins: ["{plugin}"]
data: {{train: {{reviews: {{}}}}, batch_size: 6, workers: {workers}}}
backbone: {{hf: {{path: "{bert}", max_length: 32}}}}
augment: {augment}
{more}
train: {{epochs: 1}}
"""
ALL = """
  - protect: {labels: true, words: [happy]}
  - synonyms: {from: words.csv, share: 30%}
  - one_of: {choices: [neighbors, {masked_fill: {candidates: 3}}, keyboard]}
  - insert
  - aeda: {probability: 0.5}
  - span_cutoff
  - shuffle_sentences: {severity: 0.5}
"""


@pytest.fixture(scope="session")
def plugin(tmp_path_factory):
    """One file for all tests, for a dataset can be registered once in a process."""
    file = tmp_path_factory.mktemp("plugin") / "reviews.py"
    file.write_text(PLUGIN)
    return file


@pytest.fixture
def desk(tmp_path, monkeypatch, bert, plugin):
    (tmp_path / "words.csv").write_text("word,synonym\ngood,fine\n")
    (tmp_path / "texts.csv").write_text("text,paraphrase\nelsewhere,there\n")
    monkeypatch.chdir(tmp_path)

    def write(augment: str, more: str = "", workers: int = 0):
        places = {"bert": bert, "plugin": plugin}
        (tmp_path / "a.yaml").write_text(EXPERIMENT.format(augment=augment, more=more, workers=workers, **places))
        return tmp_path / "a.yaml"

    return write


@pytest.mark.parametrize("more", ["mix: {one_of: {choices: [mixup]}}", "objective: {cutoff: {augmented: 2}}"])
def test_trains(desk, more, capsys):
    desk(ALL, more, workers=2)
    code = run(["train", "a.yaml"])
    assert code == 0, capsys.readouterr().err


@pytest.mark.parametrize(
    ("augment", "said"),
    [
        (
            "[{protect: {patterns: [ok, '(a']}}]",
            "a.yaml:6:37: augment.0.protect.patterns.1 must be a regular expression; got (a: missing ) at position 2",
        ),
        ("[{protect: {entities: [number]}}]", "numbers, urls, emails, mentions, tags or names; got number"),
        ("[swap, {paraphrases: {from: a.csv}}]", "looks up texts as they are in the data; put it before swap"),
        ("[{one_of: {choices: [swap, aeda], weights: [1]}}]", "must be one number for each of the 2 choices; got 1"),
        ("[{some_of: {choices: [swap, aeda], count: 3}}]", "must be at most the 2 choices; got 3"),
        ("[{delete: {share: 120%}}]", "augment.0.delete.share must be a share from 0 to 1, such as 0.1 or 10%"),
        ("[{delete: {share: 10%, severity: 0.5}}]", "is set by severity as well"),
        ("[synonyms]", "missing key 'from' in augment.0: it must be wordnet, or a path"),
        ("[synonym]", "no augmentation 'synonym'; did you mean 'synonyms'?"),
    ],
)
def test_validate_says_where(desk, augment, said, capsys):
    desk(augment)
    assert run(["validate", "a.yaml"]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("augment", "code", "said"),
    [
        ("[{synonyms: {from: none.csv}}]", 66, "no file "),
        ("[{paraphrases: {from: texts.csv}}]", 65, "has none of the"),
        ("[change_case]", 2, "the backbone's tokenizer puts all in lower case"),
    ],
)
def test_train_says_at_the_start_what_an_op_lacks(desk, augment, code, said, capsys):
    desk(augment)
    assert run(["train", "a.yaml"]) == code
    assert said in capsys.readouterr().err


def test_protection_alone_makes_no_views(desk, capsys):
    desk("[protect]", "objective: cutoff")
    assert run(["validate", "a.yaml"]) == 2
    assert "no augmentation makes them differ" in capsys.readouterr().err


def test_an_edited_table_is_another_experiment(desk, tmp_path):
    file = desk("[{one_of: {choices: [{synonyms: {from: words.csv}}]}}]")
    before = digest(load(file))
    assert digest(load(file)) == before
    (tmp_path / "words.csv").write_text("word,synonym\ngood,great\n")
    assert digest(load(file)) != before
