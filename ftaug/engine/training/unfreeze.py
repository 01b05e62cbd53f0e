"""Gradual unfreezing, discriminative learning rates and layer-wise decay: which parameters are trainable, and when.

Frozen modules stay fixed entirely, the running statistics of their BatchNorm layers included.
"""

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
    """A parameter group: parameters of one stage with the same learning rate, weight decay and first step."""

    stage: str
    lr_factor: float  # factor of the peak rate at the first step
    decays: bool  # whether weight decay applies
    from_step: int
    names: tuple[str, ...]  # dotted parameter names, relative to the network
    changes: tuple[tuple[int, float], ...] = ()  # step and the factor from then on, in the order of the steps

    def factor_at(self, step: int) -> float:
        """Return the factor of the peak rate at a step."""
        return next((factor for start, factor in reversed(self.changes) if start <= step), self.lr_factor)


@dataclass(frozen=True)
class Plan:
    """The unfreezing plan: all parameter groups that are ever trainable, from stem to head."""

    groups: tuple[Group, ...]
    stage_of: Mapping[str, str]  # from the name of a module or parameter to its stage
    added: frozenset[str] = frozenset()  # parameters that a PEFT method added to the network
    hidden: frozenset[str] = frozenset()  # parameters of hidden layers: neither embeddings nor the head

    @property
    def starts(self) -> tuple[int, ...]:
        """The steps at which parameters are unfrozen, sorted."""
        return tuple(sorted({group.from_step for group in self.groups}))

    def learning(self, step: int) -> frozenset[str]:
        """Return the names of the parameters that are trainable at a step."""
        return frozenset(name for group in self.groups if group.from_step <= step for name in group.names)

    def apply(self, network: nn.Module, step: int) -> None:
        """Set `requires_grad` for a step, and put the network into train mode, frozen modules into eval mode."""
        learning = self.learning(step)
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(name in learning)
        network.train()
        for module in self.eval_modules(network, step):
            module.training = False

    def eval_modules(self, network: nn.Module, step: int) -> list[nn.Module]:
        """Return the modules to keep in eval mode: those of frozen stages, and each BatchNorm that is not trainable."""
        learning = self.learning(step)
        trainable_stages = {self.stage_of[name] for name in learning}
        # The parameters that a PEFT method added do not unfreeze the BatchNorm statistics of their stage.
        unfrozen_stages = {self.stage_of[name] for name in learning - self.added}
        return [
            module
            for name, module in network.named_modules()
            if (name in self.stage_of and self.stage_of[name] not in trainable_stages)
            or (isinstance(module, _BatchNorm) and not self._norm_learns(name, module, learning, unfrozen_stages))
        ]

    def _norm_learns(self, name: str, norm: nn.Module, learning: frozenset[str], unfrozen_stages: set[str]) -> bool:
        """Return whether a BatchNorm is trainable; one without parameters is if its stage is."""
        affine = [f"{name}.{parameter}" for parameter, _ in norm.named_parameters(recurse=False)]
        return not learning.isdisjoint(affine) if affine else self.stage_of.get(name) in unfrozen_stages


def frozen_digest(network: nn.Module, plan: Plan, step: int) -> str:
    """Compute a SHA-256 over everything frozen at a step: parameters, and the buffers of modules in eval mode."""
    return digest_of(frozen_tensors(network, plan, step))


def frozen_tensors(network: nn.Module, plan: Plan, step: int) -> dict[str, Tensor]:
    """Return the tensors that are frozen at a step, by name: parameters, and buffers of modules in eval mode."""
    learning, eval_ids = plan.learning(step), {id(module) for module in plan.eval_modules(network, step)}
    frozen: dict[str, Tensor] = {name: p for name, p in network.named_parameters() if name not in learning}
    for name, module in network.named_modules():
        if id(module) in eval_ids:
            frozen.update({f"{name}.{key}": buffer for key, buffer in module.named_buffers(recurse=False)})
    return frozen


def plan(
    backbone: Backbone, experiment: Experiment, length: TrainingLength, added: Mapping[str, str] | None = None
) -> Plan:
    """Resolve `unfreeze` and `lr` into parameter groups; raises ExperimentError.

    `added` maps each parameter of a PEFT method, trainable from the start, to a parameter of the layer it belongs to,
    whose stage it shares.
    """
    added = added or {}
    layers = _Layers(backbone, added)
    starts = _starts(layers, entries_of(experiment), length) | dict.fromkeys(added, _Start(0, ((0, 1.0),)))
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
    resolved = (Group(*key[:4], tuple(names), key[4]) for key, names in groups.items())
    ordered = tuple(sorted(resolved, key=lambda group: layers.stages.index(group.stage)))
    return Plan(ordered, layers.stage_of, frozenset(added), layers.hidden())


def entries_of(experiment: Experiment) -> Sequence[Pattern | UnfreezeStage]:
    """Return the entries of `unfreeze`; everything as long as `auto` is not resolved."""
    return ("all",) if experiment.unfreeze == "auto" else experiment.unfreeze


def ever_learning(backbone: Backbone, experiment: Experiment) -> frozenset[str]:
    """Return the names of all parameters that `unfreeze` selects, whenever they start."""
    layers = _Layers(backbone, {})
    stages = (
        entry if isinstance(entry, UnfreezeStage) else UnfreezeStage((entry,)) for entry in entries_of(experiment)
    )
    patterns = ((f"unfreeze.{index}", pattern) for index, stage in enumerate(stages) for pattern in stage.layers)
    return frozenset(name for key, pattern in patterns for name in layers.select(pattern, key))


@dataclass(frozen=True)
class _Start:
    step: int
    rates: tuple[tuple[int, float], ...]  # (step, factor from then on); the first is at `step`


class _Layers:
    """The stages, modules and parameters of a network that a pattern of `unfreeze` or `lr.stages` can select."""

    def __init__(self, backbone: Backbone, added: Mapping[str, str]) -> None:
        self.stages = [stage.name for stage in backbone.stages]
        self.blocks = [stage.name for stage in backbone.stages[:-1] if not stage.with_head]
        self.no_weight_decay = backbone.no_weight_decay
        self.modules = dict(backbone.network.named_modules())
        self.parameters = dict(backbone.network.named_parameters())
        self.stage_of = _stage_of(backbone.network, backbone.stages)
        self.stage_of |= {name: self.stage_of[beside] for name, beside in added.items()}

    def depth(self, stage: str) -> int:
        """Return the index of a stage, from 0 at the stem; stages that count with the head are as deep as the head."""
        return self.blocks.index(stage) if stage in self.blocks else len(self.blocks)

    def decays(self, name: str) -> bool:
        """Return whether the backbone allows weight decay for a parameter."""
        return not any(fnmatchcase(name, pattern) for pattern in self.no_weight_decay)

    def hidden(self) -> frozenset[str]:
        """Return the parameters of hidden layers: neither embeddings, nor the head, nor exempt from weight decay."""
        embeddings = {
            id(module.weight) for module in self.modules.values() if isinstance(module, nn.Embedding | nn.EmbeddingBag)
        }
        return frozenset(
            name
            for name, parameter in self.parameters.items()
            if self.stage_of[name] != self.stages[-1] and id(parameter) not in embeddings and self.decays(name)
        )

    def of_stages(self, stages: Iterable[str]) -> set[str]:
        """Return the names of the parameters of stages."""
        chosen = set(stages)
        return {name for name in self.parameters if self.stage_of[name] in chosen}

    def select(self, pattern: Pattern, key: str) -> set[str]:
        """Return the parameters that a pattern selects; raises ExperimentError at `key` if there are none."""
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
    """Return whether a glob matches the name of a parameter or of a module that contains it."""
    return any(fnmatchcase(prefix, pattern) for prefix in _prefixes(parameter))


def _stage_of(network: nn.Module, stages: Sequence[Stage]) -> dict[str, str]:
    """Map the names of all parameters and of the modules in stages to their stage.

    A module without parameters that no stage lists, such as the dropout before the head, belongs to the stage that
    follows it.
    """
    by_prefix = {module: stage.name for stage in stages for module in stage.modules}

    def named(name: str) -> str | None:
        """Return the stage of the longest prefix of a name that belongs to one."""
        return next((by_prefix[prefix] for prefix in reversed(_prefixes(name)) if prefix in by_prefix), None)

    stage_of = {name: stage for name, _ in network.named_parameters() if (stage := named(name))}
    following = stages[-1].name
    for name, module in reversed(list(network.named_modules())):
        if stage := named(name):
            stage_of[name] = following = stage
        elif not any(True for _ in module.parameters()):
            stage_of[name] = following
    return stage_of


def _prefixes(name: str) -> list[str]:
    """Return the dotted prefixes of a name: `a`, `a.b`, `a.b.c` for `a.b.c`."""
    segments = name.split(".")
    return [".".join(segments[:end]) for end in range(1, len(segments) + 1)]


def _starts(layers: _Layers, unfreeze: Sequence[Pattern | UnfreezeStage], length: TrainingLength) -> dict[str, _Start]:
    """Resolve the first step and the learning-rate factors of each parameter; raises ExperimentError.

    A parameter that several entries select starts with the earliest; the `lr` of a later one changes its factor.
    """
    entries = []
    for index, entry in enumerate(unfreeze):
        key = f"unfreeze.{index}"
        stage = entry if isinstance(entry, UnfreezeStage) else UnfreezeStage((entry,))
        step = stage.from_.steps(length)
        if step >= length.total_steps:
            raise ExperimentError(
                f"{key}.from: {stage.from_} is not before the end of the run, {length.total_steps} steps"
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
    """Raise ExperimentError if the new head is never trainable, or nothing is at step 0."""
    head = layers.stages[-1]
    if not layers.of_stages([head]) <= starts.keys():
        raise ExperimentError(f"unfreeze: the new head is not among the layers and would never learn: add {head}")
    if first := min(start.step for start in starts.values()):
        raise ExperimentError(f"unfreeze: nothing would learn before step {first}: let one entry be from: 0")


def _rates(layers: _Layers, experiment: Experiment, starts: Mapping[str, _Start]) -> dict[str, float]:
    """Compute the rate factor of each parameter from `lr.layer_decay` and `lr.stages`; a later pattern wins."""
    decay = experiment.lr.layer_decay
    rates = {name: decay ** (len(layers.blocks) - layers.depth(layers.stage_of[name])) for name in layers.parameters}
    factors: dict[str, float] = {}
    for pattern, factor in experiment.lr.stages.items():
        chosen = layers.select(pattern, "lr.stages")
        if chosen.isdisjoint(starts):
            raise ExperimentError(f"lr.stages: '{pattern}' has no effect: it is frozen for the whole run")
        factors.update(dict.fromkeys(chosen, factor))
    return {name: rate * factors.get(name, 1.0) for name, rate in rates.items()}
