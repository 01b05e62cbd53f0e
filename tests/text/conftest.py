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


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory):
    """A folder as transformers writes it: a BERT of two narrow layers with a tokenizer of letters and some words."""
    import torch
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertForMaskedLM, BertTokenizerFast

    words = ["the", "a", "film", "movie", "it", "was", "not", "very", "and", "or"]
    words += ["good", "fine", "great", "bad", "poor", "awful"]
    letters = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = [*marks, *letters, *(f"##{letter}" for letter in letters), *words]
    vocabulary = {piece: code for code, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=50))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])],
    )
    folder = tmp_path_factory.mktemp("tiny_bert")
    BertTokenizerFast(tokenizer_object=tokenizer, model_max_length=64).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    BertForMaskedLM(config).save_pretrained(folder, safe_serialization=True)
    return folder
