"""A desk for tests of texts: a tiny encoder as transformers writes it, a plugin with a dataset and with small ops."""

import string
from pathlib import Path

PLUGIN = '''
import hashlib
import json
from pathlib import Path

import numpy as np

from ftaug.augment.transform import happens
from ftaug.config.types import FilePath, Probability
from ftaug.interfaces import Task
from ftaug.text import augmentation, dataset
from ftaug.text.edits import Edit, Edits, Protection, Span, chosen
from ftaug.text.types import Text


class Lines:
    groups, notes = None, ()

    def __init__(self, path):
        self.path = path
        self.rows = [json.loads(line) for line in path.read_text().splitlines()]
        labels = [row["label"] for row in self.rows]
        lists = any(isinstance(label, list) for label in labels)
        names = sorted({name for label in labels for name in (label if lists else [label])})
        self.task = Task(tuple(names), multi_label=lists)
        if lists:
            self.targets = np.array([[name in label for name in names] for label in labels], np.uint8)
        else:
            self.targets = np.array([names.index(label) for label in labels], np.int64)

    @property
    def fingerprint(self):
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    def __len__(self):
        return len(self.rows)

    def read(self, index):
        return Text(self.rows[index]["text"], self.rows[index].get("text_2"))

    def name(self, index):
        return f"{self.path.name}:{index + 1}"


@dataset.register
def json_texts(split, *, path: FilePath) -> Lines:
    """Texts in JSON Lines.

    Settings:
        path: the file
    """
    return Lines(path)


@augmentation.register(severity={"share": (0.0, 1.0)})
def shout(passage, rng, *, share: Probability = 0.3, probability: Probability = 1.0) -> Edits | None:
    """Write words in capitals.

    Settings:
        share: the share of the words
        probability: the chance that the op fires for a text
    """
    fires = happens(rng, probability)
    words = chosen(rng, passage.free, share)
    if not fires or not words:
        return None
    return Edits(tuple(Edit(*word, passage[word].upper()) for word in words)).with_params(words=len(words))


@augmentation.register(severity={"share": (0.0, 1.0)})
def drop(passage, rng, *, share: Probability = 0.2, probability: Probability = 1.0) -> Edits | None:
    """Delete words and the space before them.

    Settings:
        share: the share of the words
        probability: the chance that the op fires for a text
    """
    fires = happens(rng, probability)
    words = chosen(rng, passage.free, share)
    if not fires or not words:
        return None
    starts = [w.start - (w.start > 0 and passage.text[w.start - 1] == " ") for w in words]
    return Edits(tuple(Edit(start, word.end, "") for start, word in zip(starts, words))).with_params(words=len(words))


@augmentation.register
def spare(passage, rng, *, word: str = "cat") -> Protection:
    """Keep a word from every later op.

    Settings:
        word: the word
    """
    return Protection(tuple(span for span in passage.words if passage[span] == word))
'''

EXPERIMENT = """
name: animals
seed: 3
modality: text
plugins: [texts_plugin]
data:
  train: {json_texts: {path: texts.jsonl}}
  val: {split: 25%}
  workers: 0
backbone: {hf: {path: encoder, max_length: 32}}
augment:
  - shout: {probability: 0.5}
  - drop
"""


def make_encoder(folder: Path) -> None:
    """Write a tiny BERT with random weights and a tokenizer of letters and word pieces."""
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = string.ascii_lowercase + string.digits + string.punctuation
    vocabulary = [*marks, *letters, *(f"##{letter}" for letter in letters), "cat", "dog", "the", "arrow"]
    tokenizer = BertWordPieceTokenizer(vocab={token: code for code, token in enumerate(vocabulary)})
    folder.mkdir(parents=True)
    tokenizer.save(str(folder / "raw.json"))
    BertTokenizerFast(tokenizer_file=str(folder / "raw.json"), model_max_length=64).save_pretrained(folder)
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = BertConfig(vocab_size=len(vocabulary), max_position_embeddings=64, **shape)
    BertForSequenceClassification(config).save_pretrained(folder)
