"""Texts, augmentations and small models of the true format for the tests."""

import json
from pathlib import Path
from typing import Annotated

from pydantic import TypeAdapter

from ftaug.augment.transform import after, each
from ftaug.config.registry import REGISTRIES, Component
from ftaug.config.schema import OfKind
from ftaug.engine.loading.seeds import streams
from ftaug.experiment_file import import_components
from ftaug.text.augmentations.protecting import negations_in
from ftaug.text.edits import Passage, Transform
from ftaug.text.lexicon import Lexicon

import_components("text")

OPS = list(REGISTRIES["augmentation", "text"])
INNER = ["swap", {"delete": {"share": 0.3}}, "keyboard"]
COMBINING = {name: {"choices": INNER} for name in ("one_of", "some_of")} | {
    name: {"ops": INNER} for name in ("apply", "shuffle")
}
WORDS = "the a movie film good bad great fine is was are not and of story we they dog cat Paris it very really people"
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def augmentation(name: str, **settings) -> Component:
    """The component that `name: {settings}` in an experiment file is."""
    adapter = TypeAdapter(Annotated[Component, OfKind("augmentation")])
    tree = {name: COMBINING.get(name, {}) | settings}
    return adapter.validate_python(tree, context={"folder": "", "modality": "text"})


def passage(text: str, *, protected=None, labels=(), lexicon: Lexicon | None = None) -> Passage:
    return Passage(text, labels, negations_in(text) if protected is None else protected, lexicon)


def draws(seen: Passage, op: Component, sample: int = 0) -> list[Transform]:
    return list(each(op(seen, streams(0, 0, sample)(op.name))))


def edited(seen: Passage | str, op: Component, sample: int = 0) -> str:
    seen = passage(seen) if isinstance(seen, str) else seen
    return after(seen, draws(seen, op, sample)).text


def outcomes(seen: Passage | str, op: Component, samples: int = 40) -> set[str]:
    return {edited(seen, op, sample) for sample in range(samples)}


def wordpiece(*, lowercase: bool = True, words: str = WORDS) -> str:
    """A tokenizer of whole words and letters, as JSON."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    letters = "abcdefghijklmnopqrstuvwxyz.,!?'0123456789"
    vocabulary = [*SPECIALS, *dict.fromkeys([*words.split(), *letters]), *(f"##{letter}" for letter in letters)]
    codes = {word: code for code, word in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordPiece(codes, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    ends = [("[CLS]", codes["[CLS]"]), ("[SEP]", codes["[SEP]"])]
    tokenizer.post_processor = processors.TemplateProcessing(
        "[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ends
    )
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens(SPECIALS)
    return tokenizer.to_str()


def bert_folder(folder: Path, *, head: str = "masked", lowercase: bool = True) -> Path:
    """A tiny BERT as transformers writes it."""
    import torch
    import transformers

    torch.manual_seed(0)
    text = wordpiece(lowercase=lowercase)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(text)
    names = {f"{name}_token": f"[{name.upper()}]" for name in ("unk", "sep", "pad", "cls", "mask")}
    tokenizer = transformers.BertTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), **names)
    config = transformers.BertConfig(
        vocab_size=len(json.loads(text)["model"]["vocab"]),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    kind = transformers.BertForMaskedLM if head == "masked" else transformers.BertForSequenceClassification
    kind(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def lexicon_of(folder: Path) -> Lexicon:
    return Lexicon((folder / "tokenizer.json").read_text(), str(folder))
