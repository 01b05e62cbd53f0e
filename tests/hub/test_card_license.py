"""The license is that of the model card beside a model; a card without one, or none at all, says nothing."""

import pytest

from ftaug.hub.card_license import card_license


@pytest.mark.parametrize(
    ("text", "license"),
    [
        ("---\nlanguage: en\nlicense: apache-2.0\n---\n# Model\n", "apache-2.0"),
        ("---\nlanguage: en\n---\n# Model\n", None),
        ("# Model\n", None),
        ("---\nlicense: [a, b]\n---\n", None),
        ("---\n- license\n---\n", None),
        ("---\n{\n---\n", None),
    ],
)
def test_a_folder(tmp_path, text, license):
    (tmp_path / "README.md").write_text(text)
    assert card_license(str(tmp_path)) == license


def test_without_a_card(tmp_path, monkeypatch):
    assert card_license(str(tmp_path)) is None
    assert card_license(str(tmp_path / "missing")) is None
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert card_license("someone/some-model") is None
