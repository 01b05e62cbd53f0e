"""Small models for the tests of texts, made once."""

import pytest
from passages import bert_folder, lexicon_of


@pytest.fixture(scope="session")
def bert(tmp_path_factory):
    return bert_folder(tmp_path_factory.mktemp("bert"))


@pytest.fixture(scope="session")
def lexicon(bert):
    return lexicon_of(bert)


@pytest.fixture(scope="session")
def tables(tmp_path_factory):
    """Tables of synonyms and paraphrases."""
    folder = tmp_path_factory.mktemp("tables")
    (folder / "words.csv").write_text('word,synonym,another\ngood,fine,great\nmovie,film,\n"New York",Gotham,\n')
    (folder / "texts.jsonl").write_text(
        '{"text": "It was not good.", "paraphrases": ["This was not great.", "That was poor."]}\n'
        '{"text": "A fine film", "paraphrases": "A good movie"}\n'
    )
    return folder
