import json

import numpy as np
from rich.console import Console

from ftaug.config.registry import Component
from ftaug.interfaces.explanation import Attribution, Explanation
from ftaug.runs.explanation.checks import Check
from ftaug.runs.explanation.files import as_json, table, write
from ftaug.runs.explanation.method_choice import MethodChoice

CHOICE = MethodChoice(Component("explainer", "occlusion", {}, "image"), [Check("occlusion", 0.1, 0.2, 0.3)])


def explanation(**figures):
    attribution = Attribution(np.zeros((2, 2)), figures)
    return Explanation("a.png", None, "predicted cat (0.9)", "dog (0.1)", "occlusion", attribution, {"name": "a.png"})


def test_a_json_file_has_the_explanations_and_the_checks(tmp_path):
    write([explanation()], CHOICE, None, tmp_path / "new" / "out.JSON")
    content = json.loads((tmp_path / "new" / "out.JSON").read_text())
    assert content == as_json([explanation()], CHOICE)
    assert content["checks"][0]["correlation"] == 0.1
    assert content["explanations"] == [{"name": "a.png"}]


def test_the_table_has_the_completeness_error_of_methods_that_have_one():
    for each, shown in ((explanation(), False), (explanation(completeness_error=0.031), True)):
        console = Console(width=80, record=True)
        console.print(table([each]))
        text = console.export_text()
        assert "cat (0.9)" in text and "dog (0.1)" in text
        assert ("3.1%" in text) == shown
