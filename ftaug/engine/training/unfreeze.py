"""Gradual unfreezing, discriminative learning rates and layer-wise decay: which parameters are trainable, and when.

Frozen modules stay fixed entirely, the running statistics of their BatchNorm layers included.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ftaug.config.experiment import Experiment, UnfreezeStage
from ftaug.engine.training.layer_selection import Layers, Pattern
from ftaug.errors import ExperimentError
from ftaug.interfaces.model import Backbone, TrainingLength
from ftaug.weights import digest_of


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
    layers = Layers(backbone, added)
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
    layers = Layers(backbone, {})
    stages = (
        entry if isinstance(entry, UnfreezeStage) else UnfreezeStage((entry,)) for entry in entries_of(experiment)
    )
    patterns = ((f"unfreeze.{index}", pattern) for index, stage in enumerate(stages) for pattern in stage.layers)
    return frozenset(name for key, pattern in patterns for name in layers.select(pattern, key))


@dataclass(frozen=True)
class _Start:
    step: int
    rates: tuple[tuple[int, float], ...]  # (step, factor from then on); the first is at `step`


def _starts(layers: Layers, unfreeze: Sequence[Pattern | UnfreezeStage], length: TrainingLength) -> dict[str, _Start]:
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


def _require_head(layers: Layers, starts: Mapping[str, _Start]) -> None:
    """Raise ExperimentError if the new head is never trainable, or nothing is at step 0."""
    head = layers.stages[-1]
    if not layers.of_stages([head]) <= starts.keys():
        raise ExperimentError(f"unfreeze: the new head is not among the layers and would never learn: add {head}")
    if first := min(start.step for start in starts.values()):
        raise ExperimentError(f"unfreeze: nothing would learn before step {first}: let one entry be from: 0")


def _rates(layers: Layers, experiment: Experiment, starts: Mapping[str, _Start]) -> dict[str, float]:
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
