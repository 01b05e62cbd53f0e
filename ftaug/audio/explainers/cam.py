"""Class activation maps: weighted sums over the features of the last layer with a grid over the spectrogram."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from ftaug.audio import explainer
from ftaug.config.types import Doc, Text
from ftaug.interfaces.explanation import Attribution, ExplainedOutput

if TYPE_CHECKING:
    from torch import Tensor

Layer = Annotated[Text, Doc("a stage such as layer3, or a module; auto: the last one whose output has a grid")]


@explainer.register
def grad_cam(output: ExplainedOutput, sample: Tensor, *, layer: Layer = "auto") -> Attribution:
    """Grad-CAM: the features of a layer, weighted by their mean gradients; of networks on spectrograms.

    Selvaraju et al. 2017 (arXiv:1610.02391), without the final ReLU: negative values lower the output.
    """
    from ftaug.attribution.feature_layer import features, summed

    of_layer = features(output, sample, layer)
    return summed(of_layer.values * of_layer.gradient.mean(dim=(0, 1)))


@explainer.register
def layer_cam(output: ExplainedOutput, sample: Tensor, *, layer: Layer = "auto") -> Attribution:
    """LayerCAM: the features of a layer, weighted by their positive gradients cell by cell.

    Jiang et al. 2021 (IEEE TIP 30). Its maps are finer than those of Grad-CAM.
    """
    from ftaug.attribution.feature_layer import features, summed

    of_layer = features(output, sample, layer)
    return summed(of_layer.values * of_layer.gradient.clamp(min=0))
