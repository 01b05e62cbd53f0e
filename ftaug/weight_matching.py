"""Match the tensors of a weight file to a network's by order, and describe mismatches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ftaug.interfaces.model import Stage

if TYPE_CHECKING:
    from torch import Tensor

_ROLES = (  # parts of names that mean the same, as several libraries write them
    (
        {"weight", "gamma", "kernel"},
        {"bias", "beta"},
        {"running_mean", "moving_mean"},
        {"running_var", "moving_variance"},
    ),
    ({"query", "q_proj", "q_lin", "q"}, {"key", "k_proj", "k_lin", "k"}, {"value", "v_proj", "v_lin", "v"}),
)

LISTED = 10
"""At most so many differences between a file and a network are named."""

COUNTER = "num_batches_tracked"
"""How BatchNorm's counters end; older files lack them."""

SORTED = ".safetensors"
"""Files of this format hold their tensors sorted by name, which is not the order of the network."""


class OrderMismatch(Exception):
    """Says where the tensors of a file and of a network stop matching in order."""


def match_by_order(network: Mapping[str, Tensor], file: Mapping[str, Tensor], head: Stage) -> dict[str, str]:
    """Map the name of every tensor of the network outside its head to the name at the same position in the file.

    Integer tensors, such as BatchNorm's counters, are left out on both sides. The file may have a head with other
    shapes, of as many tensors as the network's head or fewer. Raises OrderMismatch at the first pair that differs.
    """
    ours, theirs = _ordered(network), _ordered(file)
    body = [name for name in ours if not head.holds(name)]
    if len(ours) == len(theirs):
        sources = [their for our, their in zip(ours, theirs, strict=True) if not head.holds(our)]
    else:
        sources = theirs
    for our, their in zip(body, sources, strict=False):  # before the counts: the first difference says more
        if network[our].shape != file[their].shape:
            raise OrderMismatch(f"{our} is {shape_of(network[our])}, {their} in its place is {shape_of(file[their])}")
        if _roles_differ(our, their):
            raise OrderMismatch(f"{their} in place of {our} has another role")
    if not len(body) <= len(theirs) <= len(ours):
        raise OrderMismatch(f"the network has {len(body)} tensors without its head, the file {len(theirs)} in all")
    return dict(zip(body, sources, strict=False))


def summary(matches: Mapping[str, str]) -> str:
    """One line that says how many tensors were matched by order, with the first and the last pairs."""
    pairs = [f"{our} <- {their}" for our, their in matches.items()]
    shown = pairs if len(pairs) <= 3 else [*pairs[:2], "…", pairs[-1]]
    return f"{len(pairs)} tensors matched by order: {', '.join(shown)} (all pairs: ftaug inspect CONFIG --json)"


def shape_of(tensor: Tensor) -> str:
    """Format the shape of a tensor as `64×3×7×7`."""
    return "×".join(str(n) for n in tensor.shape) or "a single number"


def differences(wanted: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> Iterator[str]:
    """Yield a message for each missing or unknown tensor, and each of another shape or dtype."""
    for key, tensor in wanted.items():
        if key not in theirs:
            if not key.endswith(COUNTER):
                yield f"{key} is missing"
        elif theirs[key].shape != tensor.shape:
            yield f"{key} is {shape_of(theirs[key])} instead of {shape_of(tensor)}"
        elif theirs[key].is_floating_point() != tensor.is_floating_point():
            yield f"{key} is {theirs[key].dtype} instead of {tensor.dtype}"
    yield from (f"{key} is unknown" for key in theirs if key not in wanted)


def misfit(
    source: str, problems: Sequence[str], network: Mapping[str, Tensor], file: Mapping[str, Tensor], head: Stage
) -> str:
    """Describe how a file differs from the network, with the setting to use if only the names differ."""
    body = [name for name in network if not head.holds(name) and not name.endswith(COUNTER)]
    missing = [name for name in body if name not in file]
    words = f"{source} does not fit the network: "
    first = ", ".join([name for name in file if name not in network][:2])
    names = f"its names differ (the first are {first}; the network's {', '.join(missing[:2])})"
    if len(missing) == len(body) and source.endswith(SORTED):
        return f"{words}{names}; by order only a file written by torch.save can be read, this one is sorted by name"
    try:
        if missing and not source.endswith(SORTED) and match_by_order(network, file, head):
            setting = f"weights: {{path: {source}, match: order}}"
            return f"{words}{names}, but all shapes match in order: if it holds the same network, write {setting}"
    except OrderMismatch as mismatch:
        if len(missing) == len(body):
            return f"{words}{names}, and in order {mismatch}"
    more = f" and {len(problems) - LISTED} more" if len(problems) > LISTED else ""
    return f"{words}{'; '.join(problems[:LISTED])}{more}"


def _ordered(tensors: Mapping[str, Tensor]) -> list[str]:
    return [name for name, tensor in tensors.items() if tensor.is_floating_point() and not name.endswith(COUNTER)]


def _roles_differ(ours: str, theirs: str) -> bool:
    """Whether the names say that one is a weight and the other a bias, or one a query and the other a key."""
    for roles in _ROLES:
        tensor_roles = [[role for role in roles if role & set(name.split("."))] for name in (ours, theirs)]
        if all(tensor_roles) and tensor_roles[0] != tensor_roles[1]:
            return True
    return False
