"""Select parameters of a network by the patterns of `unfreeze`: stage names, globs, kinds of parameters and `last`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TypeAlias

from torch import nn

from ftaug.config.experiment import Last
from ftaug.errors import ExperimentError, did_you_mean
from ftaug.interfaces.model import Backbone, Stage

Pattern: TypeAlias = str | Last


class Layers:
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
