"""Tiny models of transformers, written as it writes them."""

from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from ftaug.interfaces.model import Backbone
from ftaug.text.samples import collate, normalizer, pipeline
from ftaug.text.types import Text

WORDS = ("a", "an", "the", "good", "bad", "fine", "poor", "film", "book", "song", "was", "is", "not", "very", "long")
WORDS += ("short", "and", "but", "story", "end")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
SHAPE = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
DISTIL = {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32}
DISENTANGLED = {"relative_attention": True, "position_buckets": 8, "pos_att_type": ["p2c", "c2p"]}
ENDS = {"bos_token_id": 2, "eos_token_id": 3, "cls_token_id": 2, "sep_token_id": 3}
POSITIONS = 40

FAMILIES: dict[str, dict[str, Any]] = {
    "bert": SHAPE,
    "roberta": SHAPE,
    "xlm-roberta": SHAPE,
    "distilbert": DISTIL,
    "electra": {**SHAPE, "embedding_size": 8},
    "albert": {**SHAPE, "embedding_size": 8},
    "mpnet": SHAPE,
    "deberta-v2": {**SHAPE, **DISENTANGLED},
    "modernbert": {**SHAPE, **ENDS, "global_attn_every_n_layers": 2, "local_attention": 8},
}


def config_of(family: str, pad: int = 0, **settings: Any) -> Any:
    """The configuration of a tiny model."""
    shape = FAMILIES.get(family, {})
    common = {"vocab_size": len(SPECIAL) + len(WORDS), "max_position_embeddings": POSITIONS, "pad_token_id": pad}
    return transformers.AutoConfig.for_model(family, **{**common, **shape, **settings})


def tokenizer_of(pad: int = 0, types: bool = True) -> Any:
    """A tokenizer of whole words; its mark for padding has the id `pad`."""
    marks = [mark for mark in SPECIAL if mark != "[PAD]"]
    marks.insert(pad, "[PAD]")
    vocabulary = {word: code for code, word in enumerate([*marks, *WORDS])}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    ends = [(mark, vocabulary[mark]) for mark in ("[CLS]", "[SEP]")]
    pair = "[CLS] $A [SEP] $B:1 [SEP]:1"
    made.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", pair=pair, special_tokens=ends)
    names = ["input_ids", *(["token_type_ids"] if types else []), "attention_mask"]
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, model_input_names=names, **special)


def write(folder: Path, family: str = "bert", *, pad: int = 0, head: str = "", seed: int = 0, **settings: Any) -> Path:
    """A folder with the model of a family: the encoder alone, or with the head of an auto class."""
    torch.manual_seed(seed)
    kind = getattr(transformers, f"AutoModel{head and 'For'}{head}")
    kind.from_config(config_of(family, pad, **settings)).save_pretrained(folder)
    types = family in ("bert", "electra", "albert", "deberta-v2")
    tokenizer_of(pad, types).save_pretrained(folder)
    return folder


def batch_of(backbone: Backbone, texts: list[Text]) -> torch.Tensor:
    """Texts as the network takes them, packed and padded."""
    way = pipeline((), backbone.preprocessing)
    packed: torch.Tensor = normalizer(backbone.preprocessing)(collate([way(text, None) for text in texts]))
    return packed
