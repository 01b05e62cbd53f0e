"""A small pretrained text encoder included with ftaug."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from ftaug.config.experiment import WEIGHTS_INPUT, ModelInput
from ftaug.config.types import Wording
from ftaug.errors import MissingInput
from ftaug.hub.fill import fill_encoder
from ftaug.hub.model_folder import library
from ftaug.interfaces.model import Backbone
from ftaug.text import backbone
from ftaug.text.backbones import encoders
from ftaug.weights import Weights, described, facts_of, only, read

FOLDER = Path(__file__).parents[1] / "weights" / "tiny_text"
TOKENIZER, TENSORS = FOLDER / "tokenizer.json", FOLDER / "model.safetensors"
POSITIONS = 256
SHAPE = {"hidden_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 512}
Length = Annotated[int, Field(ge=4, le=POSITIONS), Wording(f"a whole number from 4 to {POSITIONS}")]


DocstringsWeights = Annotated[Weights, only("docstrings", "none"), Wording("docstrings, none or a file")]


@backbone.register
def tiny_text(
    classes: Sequence[str],
    input: ModelInput = WEIGHTS_INPUT,
    *,
    max_length: Length = 128,
    weights: DocstringsWeights = "docstrings",
    head: Literal["classes", "masked_tokens"] = "classes",
) -> Backbone:
    """A small English text encoder; its weights come with ftaug, from the documentation of Python's standard library.

    Settings:
        max_length: the most tokens of a text that the model sees; what follows is cut
        weights: docstrings (ftaug's own), none, or a file
        head: classes, or masked_tokens to train the encoder on texts without labels (`objective: masked_tokens`)

    A BERT (Devlin et al. 2018) of 4 layers of width 128 with tokens in lower case, trained by masked tokens.
    """
    if not TOKENIZER.is_file():
        raise MissingInput(f"this copy of ftaug lacks {TOKENIZER.name} of tiny_text: install it again")
    transformers = library("backbone 'tiny_text'")
    marks = {f"{name}_token": f"[{name.upper()}]" for name in ("unk", "sep", "pad", "cls", "mask")}
    tokenizer = transformers.BertTokenizerFast(tokenizer_file=str(TOKENIZER), model_max_length=POSITIONS, **marks)
    config = transformers.BertConfig(vocab_size=len(tokenizer), max_position_embeddings=POSITIONS, **SHAPE)
    network = encoders.network(config, classes, tokenizer, head)
    preprocessing = encoders.preprocessing(tokenizer, max_length, POSITIONS, {"path": str(FOLDER)})
    source = str(TENSORS) if weights == "docstrings" else weights
    facts = facts_of(weights, "Apache-2.0" if weights == "docstrings" else None)

    def load() -> None:
        if weights != "none":
            file = read(source)
            same = described(file.metadata).get("classes") == list(classes)
            facts.update(fill_encoder(network, file, predicts_tokens=head == "masked_tokens", same_classes=same))

    stored = None if weights == "none" else Path(str(source)).is_file
    return replace(encoders.backbone(network, preprocessing, load, facts, tokenizer), stored=stored)
