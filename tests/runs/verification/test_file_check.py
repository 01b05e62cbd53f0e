import pytest

from ftaug.runs.verification.file_check import FileCheck


@pytest.mark.parametrize(
    ("state", "is_damage"),
    [("good", False), ("repairable", False), ("leftover", False), ("unchecked", False), ("damaged", True)],
)
def test_only_what_no_command_restores_is_damage(state, is_damage):
    assert FileCheck("a.json", state).is_damage == is_damage
    assert FileCheck("a.json", "missing").is_damage
