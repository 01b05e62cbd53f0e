"""Which parameters learn, from when on, and at what rate. Frozen parts do not move, BatchNorm's statistics included."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypeAlias

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ftaug.config.experiment import Experiment, Last, UnfreezeStage
from ftaug.errors import ExperimentError, did_you_mean
from ftaug.interfaces.model import Backbone, Stage, TrainingLength
from ftaug.weights import digest_of

Pattern: TypeAlias = str | Last


@dataclass(frozen=True)
class Group:
    """Parameters of one stage that learn alike."""

    stage: str
    lr_factor: float  # of the peak rate, at first
    decays: bool  # whether weight decay applies
    from_step: int
    names: tuple[str, ...]  # of parameters, dotted, below the network
    changes: tuple[tuple[int, float], ...] = ()  # step and the factor from then on, in the order of the steps

    def factor_at(self, step: int) -> float:
        """The factor of the peak rate at a step."""
        return next((factor for start, factor in reversed(self.changes) if start <= step), self.lr_factor)


@dataclass(frozen=True)
class Plan:
    """All groups that ever learn, from stem to head."""

    groups: tuple[Group, ...]
    stage_of: Mapping[str, str]  # from the name of a module or parameter to its stage
    added: frozenset[str] = frozenset()  # the parameters that a method put beside the network's own
    hidden: frozenset[str] = frozenset()  # the parameters of hidden layers: of no embedding, and not of the head

    @property
    def starts(self) -> tuple[int, ...]:
        """The steps at which something begins to learn."""
        return tuple(sorted({group.from_step for group in self.groups}))

    def learning(self, step: int) -> frozenset[str]:
        """The names of the parameters that learn at a step."""
        return frozenset(name for group in self.groups if group.from_step <= step for name in group.names)

    def apply(self, network: nn.Module, step: int) -> None:
        """Set what learns at a step, and put the network into train mode, its frozen parts into eval mode."""
        learning = self.learning(step)
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(name in learning)
        network.train()
        for module in self.eval_modules(network, step):
            module.training = False

    def eval_modules(self, network: nn.Module, step: int) -> list[nn.Module]:
        """The modules that stay in eval mode: those of wholly frozen stages, and each BatchNorm that does not learn."""
        learning = self.learning(step)
        awake = {self.stage_of[name] for name in learning}
        moving = {self.stage_of[name] for name in learning - self.added}
        return [
            module
            for name, module in network.named_modules()
            if (name in self.stage_of and self.stage_of[name] not in awake)
            or (isinstance(module, _BatchNorm) and not self._moves(name, module, learning, moving))
        ]

    def _moves(self, name: str, norm: nn.Module, learning: frozenset[str], moving: set[str]) -> bool:
        """Whether a BatchNorm learns; one without parameters does where its stage does."""
        own = [f"{name}.{parameter}" for parameter, _ in norm.named_parameters(recurse=False)]
        return not learning.isdisjoint(own) if own else self.stage_of.get(name) in moving


def frozen_digest(network: nn.Module, plan: Plan, step: int) -> str:
    """A sha256 over all that must not move at a step: frozen parameters, and the buffers of resting modules."""
    return digest_of(frozen_tensors(network, plan, step))


def frozen_tensors(network: nn.Module, plan: Plan, step: int) -> dict[str, Tensor]:
    """All that must not move at a step, by name."""
    learning, resting = plan.learning(step), {id(module) for module in plan.eval_modules(network, step)}
    frozen: dict[str, Tensor] = {name: p for name, p in network.named_parameters() if name not in learning}
    for name, module in network.named_modules():
        if id(module) in resting:
            frozen.update({f"{name}.{key}": buffer for key, buffer in module.named_buffers(recurse=False)})
    return frozen


def plan(
    backbone: Backbone, experiment: Experiment, horizon: TrainingLength, added: Mapping[str, str] | None = None
) -> Plan:
    """Turn `unfreeze` and `lr` into groups; raises ExperimentError.

    `added` are the parameters of a method, which learn from the start; each with one beside it, whose stage is theirs.
    """
    added = added or {}
    layers = _Layers(backbone, added)
    starts = _starts(layers, entries_of(experiment), horizon) | dict.fromkeys(added, _Start(0, ((0, 1.0),)))
    _require_head(layers, starts)
    factors = _rates(layers, experiment, starts)
    decaying = experiment.method is None or not experiment.method.fact("replaces_decay")
    groups: dict[tuple[str, float, bool, int, tuple[tuple[int, float], ...]], list[str]] = {}
    for name, parameter in layers.parameters.items():
        if name in starts:
            decays = decaying and layers.decays(name) and (parameter.ndim > 1 or experiment.train.decay_norms)
            (_, first), *changes = ((step, factors[name] * lr) for step, lr in starts[name].rates)
            key = (layers.stage_of[name], first, decays, starts[name].step, tuple(changes))
            groups.setdefault(key, []).append(name)
    made = (Group(*key[:4], tuple(names), key[4]) for key, names in groups.items())
    ordered = tuple(sorted(made, key=lambda group: layers.stages.index(group.stage)))
    return Plan(ordered, layers.stage_of, frozenset(added), layers.hidden())


def entries_of(experiment: Experiment) -> Sequence[Pattern | UnfreezeStage]:
    """What `unfreeze` lists; until `auto` is settled, all."""
    return ("all",) if experiment.unfreeze == "auto" else experiment.unfreeze


def ever_learning(backbone: Backbone, experiment: Experiment) -> frozenset[str]:
    """The parameters that `unfreeze` means, whenever they start."""
    layers = _Layers(backbone, {})
    stages = (
        entry if isinstance(entry, UnfreezeStage) else UnfreezeStage((entry,)) for entry in entries_of(experiment)
    )
    patterns = ((f"unfreeze.{index}", pattern) for index, stage in enumerate(stages) for pattern in stage.layers)
    return frozenset(name for key, pattern in patterns for name in layers.select(pattern, key))


@dataclass(frozen=True)
class _Start:
    step: int
    rates: tuple[tuple[int, float], ...]  # step and the factor from then on; the first is the start's


class _Layers:
    """The names in a network that a pattern can mean."""

    def __init__(self, backbone: Backbone, added: Mapping[str, str]) -> None:
        self.stages = [stage.name for stage in backbone.stages]
        self.blocks = [stage.name for stage in backbone.stages[:-1] if not stage.with_head]
        self.no_weight_decay = backbone.no_weight_decay
        self.modules = dict(backbone.network.named_modules())
        self.parameters = dict(backbone.network.named_parameters())
        self.stage_of = _stage_of(backbone.network, backbone.stages)
        self.stage_of |= {name: self.stage_of[beside] for name, beside in added.items()}

    def depth(self, stage: str) -> int:
        """How many stages are before one, from the stem on; those that count with the head are as deep as it."""
        return self.blocks.index(stage) if stage in self.blocks else len(self.blocks)

    def decays(self, name: str) -> bool:
        """Whether the network lets weight decay reach a parameter."""
        return not any(fnmatchcase(name, pattern) for pattern in self.no_weight_decay)

    def hidden(self) -> frozenset[str]:
        """The parameters of hidden layers."""
        embeddings = {
            id(module.weight) for module in self.modules.values() if isinstance(module, nn.Embedding | nn.EmbeddingBag)
        }
        return frozenset(
            name
            for name, parameter in self.parameters.items()
            if self.stage_of[name] != self.stages[-1] and id(parameter) not in embeddings and self.decays(name)
        )

    def of_stages(self, stages: Iterable[str]) -> set[str]:
        """The parameters of stages."""
        chosen = set(stages)
        return {name for name in self.parameters if self.stage_of[name] in chosen}

    def select(self, pattern: Pattern, key: str) -> set[str]:
        """The parameters that a pattern means; `key` is where it stands, for the error when there are none."""
        if isinstance(pattern, Last):
            first = len(self.blocks) + 1 - pattern.last
            if first < 0:
                with_head = " + ".join(stage for stage in self.stages if stage not in self.blocks)
                listed = ", ".join([*self.blocks, with_head])
                raise ExperimentError(f"{key}: last: {pattern.last} is more than there are stages: {listed}")
            return self.of_stages(stage for stage in self.stages if self.depth(stage) >= first)
        if pattern in _KINDS:
            chosen = {name for name in self.parameters if _KINDS[pattern](self.modules, name)}
        else:
            chosen = self.of_stages(stage for stage in self.stages if fnmatchcase(stage, pattern))
            chosen = chosen or {name for name in self.parameters if _matches(name, pattern)}
        if not chosen:
            known = [*self.stages, *_KINDS, *(name for name in self.modules if name)]
            near = did_you_mean(pattern, known)
            hint = near if "did you mean" in near else ""
            raise ExperimentError(f"{key}: no stage or layer '{pattern}'{hint}; the stages are {self.listed()}")
        return chosen

    def listed(self) -> str:
        return ", ".join(self.stages)


def _in_norm(modules: Mapping[str, nn.Module], parameter: str) -> bool:
    return "norm" in type(modules[parameter.rpartition(".")[0]]).__name__.lower()


_KINDS: Mapping[str, Callable[[Mapping[str, nn.Module], str], bool]] = {
    "all": lambda modules, parameter: True,
    "norms": _in_norm,
    "biases": lambda modules, parameter: parameter.endswith("bias"),
}


def _matches(parameter: str, pattern: str) -> bool:
    """Whether a glob matches the parameter's name, or that of a module around it."""
    return any(fnmatchcase(prefix, pattern) for prefix in _prefixes(parameter))


def _stage_of(network: nn.Module, stages: Sequence[Stage]) -> dict[str, str]:
    """The stage of every parameter, and of every module that lies in one.

    A module without parameters that no stage names, such as the dropout before the head, goes with what follows it.
    """
    by_prefix = {module: stage.name for stage in stages for module in stage.modules}

    def named(name: str) -> str | None:
        """Look up the longest prefix that belongs to a stage."""
        return next((by_prefix[prefix] for prefix in reversed(_prefixes(name)) if prefix in by_prefix), None)

    found = {name: stage for name, _ in network.named_parameters() if (stage := named(name))}
    following = stages[-1].name
    for name, module in reversed(list(network.named_modules())):
        if stage := named(name):
            found[name] = following = stage
        elif not any(True for _ in module.parameters()):
            found[name] = following
    return found


def _prefixes(name: str) -> list[str]:
    """`a`, `a.b`, `a.b.c` for `a.b.c`."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]


def _starts(layers: _Layers, unfreeze: Sequence[Pattern | UnfreezeStage], horizon: TrainingLength) -> dict[str, _Start]:
    """When each parameter begins to learn, and at what factors.

    Where several entries mean it, it starts with the earliest; the `lr` of a later step changes its factor.
    """
    entries = []
    for index, entry in enumerate(unfreeze):
        key = f"unfreeze.{index}"
        stage = entry if isinstance(entry, UnfreezeStage) else UnfreezeStage((entry,))
        step = stage.from_.steps(horizon)
        if step >= horizon.total_steps:
            raise ExperimentError(
                f"{key}.from: {stage.from_} is not before the end of the run, {horizon.total_steps} steps"
            )
        chosen = set[str]().union(*(layers.select(pattern, key) for pattern in stage.layers))
        entries.append((step, index, stage, chosen))
    starts: dict[str, _Start] = {}
    for step, index, stage, chosen in sorted(entries, key=lambda entry: entry[:2]):
        factor = 1.0 if stage.lr is None else stage.lr
        changing = {
            name: _Start(starts[name].step, (*starts[name].rates, (step, factor)))
            for name in chosen & starts.keys()
            if stage.lr is not None and step > starts[name].rates[-1][0] and factor != starts[name].rates[-1][1]
        }
        if isinstance(unfreeze[index], UnfreezeStage) and chosen <= starts.keys() and not changing:
            why = "all of its layers learn before" + ("" if stage.lr is None else f", at lr: {stage.lr:g}")
            raise ExperimentError(f"unfreeze.{index} has no effect: {why}")
        starts = {name: _Start(step, ((step, factor),)) for name in chosen} | starts | changing
    return starts


def _require_head(layers: _Layers, starts: Mapping[str, _Start]) -> None:
    """Refuse a plan in which the new head never learns, or nothing does at first."""
    head = layers.stages[-1]
    if not layers.of_stages([head]) <= starts.keys():
        raise ExperimentError(f"unfreeze: the new head is not among the layers and would never learn: add {head}")
    if first := min(start.step for start in starts.values()):
        raise ExperimentError(f"unfreeze: nothing would learn before step {first}: let one entry be from: 0")


def _rates(layers: _Layers, experiment: Experiment, starts: Mapping[str, _Start]) -> dict[str, float]:
    """The factor of the peak rate for each parameter, from `lr.layer_decay` and `lr.stages`; a later pattern wins."""
    decay = experiment.lr.layer_decay
    rates = {name: decay ** (len(layers.blocks) - layers.depth(layers.stage_of[name])) for name in layers.parameters}
    factors: dict[str, float] = {}
    for pattern, factor in experiment.lr.stages.items():
        chosen = layers.select(pattern, "lr.stages")
        if chosen.isdisjoint(starts):
            raise ExperimentError(f"lr.stages: '{pattern}' has no effect: it is frozen for the whole run")
        factors.update(dict.fromkeys(chosen, factor))
    return {name: rate * factors.get(name, 1.0) for name, rate in rates.items()}
