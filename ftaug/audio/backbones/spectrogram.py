"""Networks for pictures on log-mel spectrograms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field, ValidationError

from ftaug.audio import backbone
from ftaug.audio.front_ends import Name
from ftaug.audio.front_ends import front_end as front_end_of
from ftaug.config.checks import Found, reads
from ftaug.config.experiment import WEIGHTS_INPUT, Experiment, ModelInput
from ftaug.config.problems import PartialProblem
from ftaug.config.schema import component_named
from ftaug.config.types import Count, Doc, Text, Wording
from ftaug.interfaces.model import Backbone
from ftaug.weights import Weights

PICTURES = "image"
PICTURE_CHANNELS = 3


Rate = Annotated[int, Field(ge=4000, le=192_000), Wording("a sampling rate from 4000 to 192000 Hz")]
Mels = Annotated[int, Field(ge=8, le=256), Wording("a whole number from 8 to 256")]
Windows = Annotated[
    Count,
    Doc(
        "in evaluation the answers (logits) for so many parts of a longer sound, evenly spread, are averaged; in "
        "training it is one part, at random"
    ),
]
Seconds = Annotated[float, Field(ge=0.1, le=60, allow_inf_nan=False), Wording("seconds from 0.1 to 60")]


@backbone.register
def spectrogram(
    classes: Sequence[str],
    input: ModelInput = WEIGHTS_INPUT,
    *,
    network: Text,
    weights: Weights | None = None,
    seconds: Seconds = 2.0,
    windows: Windows = 3,
    rate: Rate = 16_000,
    mels: Mels = 64,
    front_end: Name = "kaldi",
) -> Backbone:
    """A network for pictures on log-mel spectrograms, with weights that were trained on pictures.

    Settings:
        network: the network, such as resnet18 or timm/NAME: those of `ftaug list backbone` for images
        weights: its weights, as for pictures: imagenet, none, another name, or a file; unless set those that it has by
            default
        seconds: how much of a sound the network sees at once; shorter sounds are padded, with the mean of spectrograms
        rate: the sampling rate in Hz that sounds are resampled to; half of it is the highest frequency
        mels: the number of mel bands, the height of the spectrogram; its width is 100 a second
        front_end: kaldi (Kaldi's filter banks), ast (those of AST, with another window), whisper (relative to the
            loudest part, 80 dB deep) or slaney (PANNs', in dB)

    The spectrogram is computed on the device of the model. All three channels of the network take the same one.
    """
    form = preprocessing(front_end, rate, seconds, mels, windows)
    height, width = form["size"]
    settings = {} if weights is None else {"weights": weights}
    built = _built(network, classes, ModelInput(size=(height, width)), settings)
    # Of the network alone: without ftaug, another program would have to compute the spectrograms.
    return replace(built, preprocessing=form, save=None, construction=None)


def _built(name: str, classes: Sequence[str], input: ModelInput, settings: Mapping[str, Any]) -> Backbone:
    result: Backbone = component_named("backbone", name, PICTURES, settings)(classes, input)
    return result


@reads("backbone")
def _network_is_for_pictures(experiment: Experiment) -> Found:
    """Refuse a network that there is not, and weights that it does not have."""
    backbone = experiment.backbone
    if backbone.modality != "any" and backbone.entry.function is spectrogram:
        where, name = ("backbone", backbone.name), backbone.settings["network"]
        weights = backbone.settings["weights"]
        try:
            component_named("backbone", name, PICTURES, {} if weights is None else {"weights": weights})
        except KeyError as error:
            yield (*where, "network"), PartialProblem(str(error.args[0]), "", "nothing")
        except ValidationError as error:
            for line in error.errors(include_url=False):
                yield (*where, *line["loc"]), line["input"]


def preprocessing(
    name: str, rate: int, seconds: float, mels: int, windows: int, channels: int = PICTURE_CHANNELS
) -> dict[str, Any]:
    """Return the preprocessing of a network on spectrograms; `size` and `resize` are read as those of pictures."""
    samples = round(seconds * rate)
    return {
        "front_end": name,
        "rate": rate,
        "samples": samples,
        "mels": mels,
        "windows": windows,
        "channels": channels,
        "size": [mels, front_end_of(name, rate, mels).frames(samples)],
        "resize": None,
    }
