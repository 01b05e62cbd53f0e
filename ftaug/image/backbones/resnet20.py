"""ResNet-20 for 32×32 images, with weights that are included in ftaug."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from ftaug.config.experiment import WEIGHTS_INPUT, ModelInput
from ftaug.config.types import Wording
from ftaug.errors import MissingInput
from ftaug.image import backbone
from ftaug.image.backbones.sizes import check_runs
from ftaug.image.backbones.stages import by_rules
from ftaug.image.preprocessing import adjusted
from ftaug.interfaces.model import Backbone
from ftaug.weights import Weights, facts_of, fill, is_file, only, preprocessing_in, read

LETTERS = Path(__file__).parents[1] / "weights" / "resnet20_letters.safetensors"
_PREPROCESSING = {
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
    "size": [32, 32],
    "resize": None,
    "interpolation": "bilinear",
}
_RULES = (("conv1|bn1", "stem"), (r"(layer\d)", r"\1"), ("fc", "head"))


LettersWeights = Annotated[Weights, only("letters", "none"), Wording("letters, none or a file")]


@backbone.register
def resnet20(
    classes: Sequence[str], input: ModelInput = WEIGHTS_INPUT, *, weights: LettersWeights = "letters"
) -> Backbone:
    """A small network for 32×32 pictures; its weights come with ftaug and were trained on drawn letters.

    Settings:
        weights: letters (ftaug's own), none, or a file
    """
    from ftaug.image.backbones.networks import ResNet20

    source = str(LETTERS) if weights == "letters" else weights
    network = ResNet20(len(classes))
    stages = by_rules(network, _RULES)
    facts = facts_of(weights, "Apache-2.0" if weights == "letters" else None)

    def load() -> None:
        if weights == "letters" and not LETTERS.exists():
            raise MissingInput(f"this copy of ftaug lacks {LETTERS.name}: install it again, or set weights: none")
        if weights != "none":
            facts.update(fill(network, read(source), head=stages[-1], classes=classes))

    check_runs("resnet20", network, input)
    preprocessing = (preprocessing_in(source) if is_file(source) else None) or _PREPROCESSING
    stored = None if weights == "none" else Path(str(source)).is_file
    return Backbone(network, stages, adjusted(preprocessing, input), load, facts, stored=stored)
