"""A small network for sounds, with weights that are included in ftaug."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from ftaug.audio import backbone
from ftaug.audio.backbones.spectrogram import Seconds, Windows, preprocessing
from ftaug.config.experiment import WEIGHTS_INPUT, ModelInput
from ftaug.config.types import Wording
from ftaug.errors import MissingInput
from ftaug.interfaces.model import Backbone, Stage
from ftaug.weights import Weights, facts_of, fill, only, read

WORDS = Path(__file__).parents[1] / "weights" / "tiny_audio_words.safetensors"
RATE, MELS = 16_000, 40
STAGES = (
    Stage("stem", ("conv1", "bn1")),
    Stage("layer1", ("layer1",)),
    Stage("layer2", ("layer2",)),
    Stage("layer3", ("layer3",)),
    Stage("layer4", ("conv2", "bn2")),
    Stage("head", ("fc",)),
)

WordsWeights = Annotated[Weights, only("words", "none"), Wording("words, none or a file")]


@backbone.register
def tiny_audio(
    classes: Sequence[str],
    input: ModelInput = WEIGHTS_INPUT,
    *,
    seconds: Seconds = 1.0,
    windows: Windows = 3,
    weights: WordsWeights = "words",
) -> Backbone:
    """A small network for sounds; its weights come with ftaug and were trained on synthetic words.

    Settings:
        seconds: how much of a sound the network sees at once; shorter sounds are padded, with the mean of spectrograms
        weights: words (ftaug's own), none, or a file

    A residual network of 0.36 million parameters on Kaldi's filter banks: 40 mels of sounds at 16 kHz, 100 times a
    second.
    """
    from ftaug.audio.residual_network import ResidualNetwork

    source = str(WORDS) if weights == "words" else weights
    network = ResidualNetwork(len(classes), MELS)
    facts = facts_of(weights, "Apache-2.0" if weights == "words" else None)

    def load() -> None:
        if weights == "words" and not WORDS.exists():
            raise MissingInput(f"this copy of ftaug lacks {WORDS.name}: install it again, or set weights: none")
        if weights != "none":
            facts.update(fill(network, read(source), head=STAGES[-1], classes=classes))

    form = preprocessing("kaldi", RATE, seconds, MELS, windows, channels=1)
    stored = None if weights == "none" else Path(str(source)).is_file
    return Backbone(network, STAGES, form, load, facts, stored=stored)
