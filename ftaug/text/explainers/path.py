"""Integrated gradients of texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ftaug.attribution.integrated_gradients import Steps, integrate
from ftaug.interfaces.explanation import Attribution, CannotExplain, ExplainedOutput
from ftaug.text import explainer

if TYPE_CHECKING:
    from torch import Tensor


@explainer.register(refined_by="steps")
def integrated_gradients(output: ExplainedOutput, sample: Tensor, *, steps: Steps = 32) -> Attribution:
    """Integrated gradients: the gradients of the token embeddings, integrated from zero to those of the text.

    Sundararajan et al. 2017 (arXiv:1703.01365). Values of all dimensions of a token are added.
    """
    import torch

    encoder: Any = getattr(output.network, "model", None)
    if encoder is None:
        raise CannotExplain("needs a network with one layer of token embeddings")
    layer = encoder.get_input_embeddings()
    with torch.no_grad():
        embedded = layer(sample[:, 0])

    def at(shares: Tensor) -> tuple[Tensor, Tensor]:
        """Return the embeddings at shares of the path, and the outputs for them."""
        points = (shares.view(-1, 1, 1) * embedded).requires_grad_()
        handle = layer.register_forward_hook(lambda module, inputs, values: points)
        try:
            with torch.enable_grad():
                return points, output.score(sample.expand(len(shares), -1, -1))
        finally:
            handle.remove()

    def gradients(shares: Tensor) -> Tensor:
        points, scores = at(shares)
        return torch.autograd.grad(scores.sum(), points)[0]

    ends = at(embedded.new_tensor([0.0, 1.0]))[1].detach()
    path = integrate(gradients, embedded[0], float(ends[1] - ends[0]), steps, output.batch_size)
    figures = {"completeness_error": path.completeness_error, "steps": steps}
    return Attribution(path.values.sum(dim=1).cpu().numpy(), figures)
