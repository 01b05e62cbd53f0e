"""Split a model with torch.fx where its frozen layers end: a frozen prefix and the trainable rest."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, fx, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ftaug.engine.system.device import in_channels_last
from ftaug.engine.training.state import Model
from ftaug.engine.training.unfreeze import Plan
from ftaug.errors import is_lack_of_memory
from ftaug.interfaces.model import CannotCut, Divisible

PROBES = (2, 3)
"""Batch sizes that a split is verified with."""


@dataclass(frozen=True)
class SplitNetwork:
    """The two parts of a model: a frozen prefix, copied and fused for inference, and a rest that shares parameters."""

    prefix: nn.Module  # from a collated batch to features, in eval mode
    rest: "OnFeatures"


class OnFeatures(nn.Module):
    """The rest of a split model, called with the features of the prefix; train and eval mode follow the whole model."""

    def __init__(self, whole: Model, rest: nn.Module) -> None:
        super().__init__()
        self.whole = whole
        self._call: Callable[[Tensor], Tensor] = rest.forward

    def forward(self, features: Tensor) -> Tensor:
        """Map features to logits (batch, classes)."""
        return cast(Tensor, self.whole.units(self._call(features)))


def cut(model: Model, plan: Plan, step: int, example: Tensor) -> SplitNetwork:
    """Split a model before the first layer that is trainable at a step; raises CannotCut.

    `example` is a collated batch that both parts are verified with.
    """
    before, after = _halves(model.network, plan, step)
    prefix = nn.Sequential(copy.deepcopy(model.normalizer), _fuse_batchnorm(before)).eval().requires_grad_(False)
    split = SplitNetwork(in_channels_last(prefix), OnFeatures(model, after))
    _check(model, split, example)
    return split


def rebind(model: Model, plan: Plan, step: int) -> OnFeatures:
    """Return the rest of another model of the same architecture, such as one with averaged weights."""
    return OnFeatures(model, _halves(model.network, plan, step)[1])


def _halves(network: Any, plan: Plan, step: int) -> tuple[nn.Module, nn.Module]:
    """Split a network into the part before the trainable layers of a step, and the rest."""
    if hasattr(network, "halves"):
        return cast(Divisible, network).halves(plan.learning(step))
    graph = _trace(network, plan, step)
    return _split_graph(network, graph, _trainable_nodes(network, graph, plan, step))


def _trace(network: nn.Module, plan: Plan, step: int) -> fx.Graph:
    """Trace a network so finely that no node holds both trainable and frozen parameters; raises CannotCut."""
    learning = plan.learning(step)

    class Tracer(fx.Tracer):
        def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
            trainable = {f"{module_qualified_name}.{name}" in learning for name, _ in m.named_parameters()}
            return len(trainable) < 2 or next(m.children(), None) is None

    try:
        graph = Tracer().trace(network)
    except Exception as error:  # tracing runs arbitrary code of the network
        if is_lack_of_memory(error):
            raise
        raise CannotCut(f"it cannot be traced: {str(error).partition(chr(10))[0]}") from None
    _take_defaults(graph)
    return graph


def _take_defaults(graph: fx.Graph) -> None:
    """Replace placeholders of optional arguments by their defaults."""
    defaults = {node: node.args[0] for node in graph.nodes if node.op == "placeholder" and node.args}

    def bound(source: fx.Node) -> Any:
        return defaults.get(source, source)

    for user in {user for node in defaults for user in node.users}:
        user.args, user.kwargs = fx.node.map_arg(user.args, bound), fx.node.map_arg(user.kwargs, bound)
    for node in defaults:
        graph.erase_node(node)


def _trainable_modules(network: nn.Module, plan: Plan, step: int) -> frozenset[str]:
    """Return the modules with trainable parameters, and random ones (dropout) in stages that are trained."""
    learning = plan.learning(step)
    stages = {plan.stage_of[name] for name in learning}
    names = set()
    for name, module in network.named_modules():
        trains = any(f"{name}.{key}".removeprefix(".") in learning for key, _ in module.named_parameters())
        if trains or (_is_random(module) and plan.stage_of.get(name) in stages):
            names.add(name)
    return frozenset(names)


def _is_random(module: nn.Module) -> bool:
    """Return whether a module is random in train mode, such as dropout and stochastic depth."""
    name = type(module).__name__.lower()
    return "drop" in name or "stochastic" in name


def _trainable_nodes(network: nn.Module, graph: fx.Graph, plan: Plan, step: int) -> set[fx.Node]:
    """Return the nodes of a graph that depend on trainable parameters or on random layers that are trained."""
    modules, learning = _trainable_modules(network, plan, step), plan.learning(step)
    live: set[fx.Node] = set()
    for node in graph.nodes:
        trains = (node.op == "call_module" and node.target in modules) or (
            node.op == "get_attr" and node.target in learning
        )
        random = node.op == "call_function" and "drop" in getattr(node.target, "__name__", "")
        if trains or random or any(source in live for source in node.all_input_nodes):
            live.add(node)
    return live


def _split_graph(network: nn.Module, graph: fx.Graph, live: set[fx.Node]) -> tuple[fx.GraphModule, fx.GraphModule]:
    """Split a graph into frozen and live nodes; raises CannotCut unless exactly one tensor crosses over."""
    crossing = [node for node in graph.nodes if node not in live and any(user in live for user in node.users)]
    if not live or len(crossing) != 1:
        raise CannotCut(f"{len(crossing)} tensors pass from the frozen part to the rest" if live else "nothing learns")
    if crossing[0].op == "placeholder":
        raise CannotCut("the trainable layers begin at the input")
    before, after = fx.Graph(), fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    for node in graph.nodes:
        if node not in live and node.op != "output":
            copies[node] = before.node_copy(node, lambda source: copies[source])
    before.output(copies[crossing[0]])
    mapped = {crossing[0]: after.placeholder("features")}
    for node in graph.nodes:
        if node in live:
            mapped[node] = after.node_copy(node, lambda source: mapped[source])
    return _as_module(network, before), _as_module(network, after)


def _as_module(network: nn.Module, graph: fx.Graph) -> fx.GraphModule:
    """Compile a graph into a module that shares the network's parameters."""
    module = fx.GraphModule(network, graph)
    module.graph.eliminate_dead_code()
    module.recompile()
    return module


def _fuse_batchnorm(prefix: nn.Module) -> nn.Module:
    """Fold each BatchNorm into the convolution before it, in a copy; return it unchanged if it cannot be traced."""
    prefix = copy.deepcopy(prefix).eval()
    try:
        traced = fx.symbolic_trace(prefix)
    except Exception:  # tracing runs arbitrary code; fusing is only an optimization
        return prefix
    modules = dict(traced.named_modules())
    for node in list(traced.graph.nodes):
        source = node.args[0] if node.op == "call_module" and node.args else None
        norm = modules.get(node.target) if node.op == "call_module" else None
        if not (isinstance(norm, _BatchNorm) and isinstance(source, fx.Node) and source.op == "call_module"):
            continue
        conv = modules[str(source.target)]
        if isinstance(conv, nn.Conv2d) and len(source.users) == 1 and norm.track_running_stats:
            _replace(traced, str(source.target), fuse_conv_bn_eval(conv, norm))
            node.replace_all_uses_with(source)
            traced.graph.erase_node(node)
    traced.delete_all_unused_submodules()
    traced.recompile()
    return traced


def _replace(network: nn.Module, name: str, module: nn.Module) -> None:
    """Replace the submodule at a dotted name."""
    parent, _, last = name.rpartition(".")
    setattr(network.get_submodule(parent), last, module)


@torch.no_grad()
def _check(model: Model, split: SplitNetwork, example: Tensor) -> None:
    """Raise CannotCut unless both parts together give the logits of the model."""
    modes: Mapping[nn.Module, bool] = {module: module.training for module in model.modules()}
    model.eval()
    try:
        for size in PROBES:
            batch = example[torch.arange(size) % len(example)]
            whole, composed = model(batch).float(), split.rest(split.prefix(batch)).float()
            if not torch.allclose(whole, composed, rtol=1e-3, atol=1e-3 * float(whole.abs().max())):
                raise CannotCut("its parts do not compute the same outputs")
    except (RuntimeError, TypeError, ValueError) as error:
        if is_lack_of_memory(error):
            raise
        raise CannotCut(f"its parts do not run: {str(error).partition(chr(10))[0]}") from None
    finally:
        for module, mode in modes.items():
            module.training = mode
