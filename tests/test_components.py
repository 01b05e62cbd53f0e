"""What every registered component owes its users; a new one is tested by being there."""

import ast
import inspect
import pickle
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, NamedTuple

import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

import ftaug
from ftaug.config.annotations import doc
from ftaug.config.dump import to_plain
from ftaug.config.registry import REGISTRIES, Component, Entry, Registry, explanations
from ftaug.config.schema import OfKind
from ftaug.config.shapes import REQUIRED, adapted, function_shape
from ftaug.config.wording import wording
from ftaug.experiment_file import MODALITIES, import_components

for modality in MODALITIES:
    import_components(modality)


PACKAGE = Path(ftaug.__file__).parent

LIKELY = ("photos", ["horizontal_flip"], ["mixup"], 3, [20, 30], "fog")
"""Values for settings without a default: each takes one of these."""


def is_valid(annotation, value, context) -> bool:
    try:
        TypeAdapter(adapted(annotation)).validate_python(value, context=context)
    except ValidationError:
        return False
    return True


class Registered(NamedTuple):
    """One name of a registry."""

    registry: Registry
    name: str

    @property
    def entry(self) -> Entry:
        return self.registry[self.name]

    def __str__(self) -> str:
        return f"{self.registry.kind}-{self.name}"

    def bind(self, **settings) -> Component:
        """Make the component as an experiment file does, with a value for each setting that has no default."""
        modality = next(iter(MODALITIES)) if self.registry.modality == "any" else self.registry.modality
        adapter = TypeAdapter(Annotated[Component, OfKind(self.registry.kind)])
        context = {"folder": "", "modality": modality}
        shape = function_shape(self.entry.function, self.name)
        needed = {key: shape.annotations[key] for key, default in shape.defaults.items() if default is REQUIRED}
        values = {key: next(v for v in LIKELY if is_valid(needed[key], v, context)) for key in needed}
        return adapter.validate_python({self.name: values | settings}, context=context)


ALL = [
    Registered(registry, name)
    for _, registry in sorted(REGISTRIES.items())
    for name in [*registry.own, *(f"{prefix}resnet18" for prefix in registry.prefixes)]
]
FUNCTIONS = list({registered.entry.function: registered for registered in ALL}.values())

each = pytest.mark.parametrize("registered", FUNCTIONS, ids=str)


def test_every_kind_has_components():
    assert {registered.registry.kind for registered in ALL} == {kind for kind, _ in REGISTRIES}


@each
def test_first_line_is_a_sentence(registered):
    summary = registered.entry.summary
    assert summary[0].isupper() or summary[0].isdigit()
    assert summary.endswith(".")
    assert len(summary) <= 120


@each
def test_every_setting_is_explained(registered):
    explained = function_shape(registered.entry.function).explanations
    assert set(explained) == set(registered.entry.settings())
    assert all(explained.values())


@each
def test_no_docstring_repeats_the_explanation_of_a_type(registered):
    shape = function_shape(registered.entry.function)
    texts = explanations(registered.entry.function)
    assert not [key for key, annotation in shape.annotations.items() if texts.get(key) == doc(annotation) != ""]


def test_texts_of_many_settings_stand_in_their_types():
    """A text that three or more settings of one type share belongs to the type: `Annotated[…, Doc("…")]`."""
    texts = Counter(
        (key, text, str(function_shape(registered.entry.function).annotations[key]))
        for registered in FUNCTIONS
        for key, text in explanations(registered.entry.function).items()
        if text != "as in torchvision"  # made from torchvision's signatures
    )
    assert [key for (key, _, _), count in texts.items() if count >= 3] == []


@each
def test_every_setting_has_words_for_its_type(registered):
    shape = function_shape(registered.entry.function, registered.name)
    words = {name: wording(annotation) for name, annotation in shape.annotations.items()}
    assert not [name for name, text in words.items() if not text or "typing" in text or "<" in text]


@each
def test_takes_what_its_kind_is_given(registered):
    parameters = inspect.signature(registered.entry.function).parameters.values()
    positional = [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]
    given = list(registered.registry.given)
    assert positional == (["name", *given] if registered.entry.in_family else given)


@each
def test_binds_with_its_defaults(registered):
    component = registered.bind()
    assert set(component.settings) == set(registered.entry.settings())
    assert component.entry.function is registered.entry.function


@each
def test_refuses_a_setting_that_it_does_not_have(registered):
    with pytest.raises(Exception, match="ftaug"):
        registered.bind(no_such_setting=1)


@each
def test_equals_its_copy_by_pickle(registered):
    component = registered.bind()
    copy = pickle.loads(pickle.dumps(component))
    assert copy == component
    assert hash(copy) == hash(component)


@each
def test_equals_its_copy_by_yaml(registered):
    component = registered.bind()
    written = yaml.safe_load(yaml.safe_dump(to_plain(component)))
    name, settings = next(iter(written.items())) if isinstance(written, dict) else (written, {})
    assert name == registered.name
    assert registered.bind(**settings) == component


def test_a_fresh_process_finds_every_component_by_name(tmp_path):
    """Workers that were spawned import what they need, and nothing slow for it."""
    (tmp_path / "components").write_bytes(pickle.dumps([registered.bind() for registered in ALL]))
    program = (
        "import pickle, sys\n"
        "for component in pickle.load(open('components', 'rb')):\n"
        "    print(component.entry.function.__name__, component.entry.name)\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    expected = [f"{registered.entry.function.__name__} {registered.name}" for registered in ALL]
    assert done.stdout.splitlines() == expected


def registering_modules() -> set[str]:
    """The modules of ftaug that call `register` or `family` of a registry, or `reads` of the checks."""
    modules = set()
    for file in PACKAGE.rglob("*.py"):
        tree = ast.parse(file.read_text())
        used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        decorators = [d for node in tree.body if isinstance(node, ast.FunctionDef) for d in node.decorator_list]
        checks = any(isinstance(d, ast.Call) and ast.unparse(d.func) == "reads" for d in decorators)
        if (used & {"register", "family"} or checks) and "config" not in file.parts:
            modules.add(".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts))
    # An operator of torch, and the parts of a document by their type.
    return modules - {"ftaug.text.cpu_dropout", "ftaug.documents.html_report"}


def test_every_module_that_registers_is_imported():
    """A new file in a folder of components is; elsewhere `ftaug.experiment_file` lists it."""
    program = (
        "import sys; from ftaug.experiment_file import MODALITIES, import_components\n"
        "for modality in MODALITIES: import_components(modality)\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert len(registering_modules()) > 40
    assert registering_modules() - set(done.stdout.split()) == set()
