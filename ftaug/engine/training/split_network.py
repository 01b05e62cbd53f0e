"""A model cut in two where freezing ends: a prefix that stays as it is, and the rest that learns."""

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
from ftaug.interfaces.model import CannotCut, Divisible

PROBES = (2, 3)
"""Sizes of the batches by which a cut is tried."""


@dataclass(frozen=True)
class SplitNetwork:
    """The two parts of a model. The rest shares its parameters; the prefix has copies, made quick."""

    prefix: nn.Module  # from a collated batch to features, in eval mode
    rest: "OnFeatures"


class OnFeatures(nn.Module):
    """A model that is called with what its prefix gives; its mode is that of the whole."""

    def __init__(self, whole: Model, rest: nn.Module) -> None:
        super().__init__()
        self.whole = whole
        self._call: Callable[[Tensor], Tensor] = rest.forward

    def forward(self, features: Tensor) -> Tensor:
        """From features to logits (batch, classes)."""
        return cast(Tensor, self.whole.units(self._call(features)))


def cut(model: Model, plan: Plan, step: int, example: Tensor) -> SplitNetwork:
    """Cut a model where what learns at a step begins; raises CannotCut. `example` is a collated batch."""
    before, after = _halves(model.network, plan, step)
    prefix = nn.Sequential(copy.deepcopy(model.normaliser), _quick(before)).eval().requires_grad_(False)
    made = SplitNetwork(in_channels_last(prefix), OnFeatures(model, after))
    _check(model, made, example)
    return made


def rebind(model: Model, plan: Plan, step: int) -> OnFeatures:
    """The rest of another model of the same shape, such as the average of the weights."""
    return OnFeatures(model, _halves(model.network, plan, step)[1])


def _halves(network: Any, plan: Plan, step: int) -> tuple[nn.Module, nn.Module]:
    """What a network does without what learns at a step, and the rest."""
    if hasattr(network, "halves"):
        return cast(Divisible, network).halves(plan.learning(step))
    graph = _traced(network, plan, step)
    return _parts(network, graph, _live(network, graph, plan, step))


def _traced(network: nn.Module, plan: Plan, step: int) -> fx.Graph:
    """What the network does, seen so closely that what learns and what rests are apart."""
    learning = plan.learning(step)

    class Tracer(fx.Tracer):
        def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
            own = {f"{module_qualified_name}.{name}" in learning for name, _ in m.named_parameters()}
            return len(own) < 2 or next(m.children(), None) is None

    try:
        graph = Tracer().trace(network)
    except Exception as error:  # whatever a network does that cannot be followed
        raise CannotCut(f"it cannot be followed: {str(error).partition(chr(10))[0]}") from None
    _take_defaults(graph)
    return graph


def _take_defaults(graph: fx.Graph) -> None:
    """Put the defaults of further arguments, which nobody gives, in the place of these."""
    defaults = {node: node.args[0] for node in graph.nodes if node.op == "placeholder" and node.args}

    def bound(source: fx.Node) -> Any:
        return defaults.get(source, source)

    for user in {user for node in defaults for user in node.users}:
        user.args, user.kwargs = fx.node.map_arg(user.args, bound), fx.node.map_arg(user.kwargs, bound)
    for node in defaults:
        graph.erase_node(node)


def _awake(network: nn.Module, plan: Plan, step: int) -> frozenset[str]:
    """The modules that learn, hold what learns, or are random while the stage that they belong to learns."""
    learning = plan.learning(step)
    stages = {plan.stage_of[name] for name in learning}
    found = set()
    for name, module in network.named_modules():
        owns = any(f"{name}.{key}".removeprefix(".") in learning for key, _ in module.named_parameters())
        if owns or (_is_random(module) and plan.stage_of.get(name) in stages):
            found.add(name)
    return frozenset(found)


def _is_random(module: nn.Module) -> bool:
    """Whether a module without parameters is another one in training, as dropout and stochastic depth are."""
    name = type(module).__name__.lower()
    return "drop" in name or "stochastic" in name


def _live(network: nn.Module, graph: fx.Graph, plan: Plan, step: int) -> set[fx.Node]:
    """The nodes that depend on what learns."""
    awake, learning = _awake(network, plan, step), plan.learning(step)
    live: set[fx.Node] = set()
    for node in graph.nodes:
        own = (node.op == "call_module" and node.target in awake) or (node.op == "get_attr" and node.target in learning)
        random = node.op == "call_function" and "drop" in getattr(node.target, "__name__", "")
        if own or random or any(source in live for source in node.all_input_nodes):
            live.add(node)
    return live


def _parts(network: nn.Module, graph: fx.Graph, live: set[fx.Node]) -> tuple[fx.GraphModule, fx.GraphModule]:
    """The graph without what is live, and what is live; raises CannotCut where more than one tensor leads over."""
    over = [node for node in graph.nodes if node not in live and any(user in live for user in node.users)]
    if not live or len(over) != 1:
        raise CannotCut(f"{len(over)} tensors lead from the frozen part to the rest" if live else "nothing learns")
    if over[0].op == "placeholder":
        raise CannotCut("what learns begins at the input")
    before, after = fx.Graph(), fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    for node in graph.nodes:
        if node not in live and node.op != "output":
            copies[node] = before.node_copy(node, lambda source: copies[source])
    before.output(copies[over[0]])
    mapped = {over[0]: after.placeholder("features")}
    for node in graph.nodes:
        if node in live:
            mapped[node] = after.node_copy(node, lambda source: mapped[source])
    return _alone(network, before), _alone(network, after)


def _alone(network: nn.Module, graph: fx.Graph) -> fx.GraphModule:
    """A graph as a module that shares the network's parameters."""
    module = fx.GraphModule(network, graph)
    module.graph.eliminate_dead_code()
    module.recompile()
    return module


def _quick(prefix: nn.Module) -> nn.Module:
    """The same function with each BatchNorm folded into the convolution before it, where that can be seen."""
    prefix = copy.deepcopy(prefix).eval()
    try:
        traced = fx.symbolic_trace(prefix)
    except Exception:  # whatever cannot be followed all the way is left as it is
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
    parent, _, last = name.rpartition(".")
    setattr(network.get_submodule(parent), last, module)


@torch.no_grad()
def _check(model: Model, made: SplitNetwork, example: Tensor) -> None:
    """Raise CannotCut unless both parts together answer as the model does."""
    modes: Mapping[nn.Module, bool] = {module: module.training for module in model.modules()}
    model.eval()
    try:
        for size in PROBES:
            batch = example[torch.arange(size) % len(example)]
            whole, apart = model(batch).float(), made.rest(made.prefix(batch)).float()
            if not torch.allclose(whole, apart, rtol=1e-3, atol=1e-3 * float(whole.abs().max())):
                raise CannotCut("its parts do not answer as the whole does")
    except (RuntimeError, TypeError, ValueError) as error:
        raise CannotCut(f"its parts do not run: {str(error).partition(chr(10))[0]}") from None
    finally:
        for module, mode in modes.items():
            module.training = mode
