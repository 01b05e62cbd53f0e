"""Text → tree with places; everything that is not plain YAML 1.2 data is refused with its place."""

import math
import os
import time

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ftaug.config.yaml_document import Document, parse, parse_value, read, scalar
from ftaug.errors import ExperimentError, MissingInput


def refused(text: str) -> str:
    with pytest.raises(ExperimentError) as error:
        parse(text, "f.yaml")
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3),
        ("1e+3", 1000.0),
        ("1E5", 1e5),
        ("-1.5", -1.5),
        (".5", 0.5),
        ("3.", 3.0),
        ("010", 10),
        ("0o17", 15),
        ("0xff", 255),
        ("+7", 7),
        ("-0", 0),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        *((text, text) for text in ("no", "off", "NO", "yes", "y", "on", "12:30:45", "2024-01-01", "1_000", "0b1")),
        *((text, text) for text in ("1e", "e3", "1.2.3", "20%", "0x", "0o8", "--1", "=", "<<", "tRUE", "1 epoch")),
    ],
)
def test_scalars_of_yaml_1_2(text, value):
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)
    assert parse(f"a: {text}", "f").tree["a"] == value


def test_special_floats():
    assert scalar(".inf") == math.inf
    assert scalar("-.INF") == -math.inf
    assert math.isnan(scalar(".nan"))


def test_quoted_scalars_are_texts():
    assert parse("""a: '1'\nb: "true"\nc: |\n  no\n""", "f").tree == {"a": "1", "b": "true", "c": "no\n"}


@pytest.mark.parametrize("number", ["1e400", "-1.0e+400", "9" * 400, "9" * 5000, str(2**63), "0x" + "f" * 17])
def test_numbers_beyond_all_use(number):
    assert refused(f"a:\n  b: {number}").startswith("f.yaml:2:6: the number ")


def test_every_key_and_value_has_its_place():
    document = parse("a: 1\nb:\n  - x\n  - {y: 2}\n", "f.yaml")
    assert str(document.place(("a",))) == "f.yaml:1:4"
    assert str(document.place(("a",), of_key=True)) == "f.yaml:1:1"
    assert str(document.place(("b", 0))) == "f.yaml:3:5"
    assert str(document.place(("b", 1, "y"), of_key=True)) == "f.yaml:4:6"
    assert str(document.place(("b", 1, "y"))) == "f.yaml:4:9"
    assert str(document.place(("b", "missing"))) == "f.yaml:2:1"
    assert str(document.place(("nothing",))) == "f.yaml"


def test_keys_are_texts():
    assert parse("no: 1\n1: 2\nnull: 3", "f").tree == {"no": 1, "1": 2, "null": 3}


def test_duplicate_keys_name_both_lines():
    assert refused("a:\n  lr: 1\n  x: 2\n  lr: 3\n") == "f.yaml:4:3: the key 'lr' is already set on line 2"


def test_duplicates_at_any_depth_are_all_reported():
    text = refused("a: 1\na: {b: 1, b: 2}\nc: [{d: 1, d: 2}]\n")
    assert [line.split(": ")[0] for line in text.splitlines()] == ["f.yaml:2:1", "f.yaml:2:11", "f.yaml:3:12"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f.yaml: expected one mapping, such as `backbone: resnet18`; got nothing"),
        ("# only this\n", "f.yaml: expected one mapping, such as `backbone: resnet18`; got nothing"),
        ("[1, 2]", "f.yaml:1:1: expected one mapping, such as `backbone: resnet18`; got a list"),
        ("hello", "f.yaml:1:1: expected one mapping, such as `backbone: resnet18`; got a single value"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2:1: expected one document; a second one starts here"),
        ("a:\n\tb: 1\n", "f.yaml:2:1: a tab cannot indent; use spaces"),
        ("a: b: 1\n", "f.yaml:1:5: unexpected colon; quote a string that contains a colon"),
        ("a: [1, 2\n", "f.yaml:2:1: a bracket is not closed"),
        ('a: "x\n', "f.yaml:2:1: unterminated quoted string"),
        ("a: 1\n b: 2\n", "f.yaml:2:3: unexpected colon; quote a string that contains a colon"),
        ("? [a]\n: 1\n", "f.yaml:1:3: a key must be a string"),
        ("a: !!python/object/apply:os.system ['true']\n", "f.yaml:1:4: tags such as !!python/object/apply:os.system"),
        ("a: !mine 1\n", "f.yaml:1:4: tags such as !mine are not supported; write the plain value"),
        ("a: &x 1\nb: *x\n", "f.yaml:1:4: anchors such as &x are not supported\nf.yaml:2:4: aliases such as *x"),
        ("a: &x [*x]\n", "f.yaml:1:4: anchors such as &x are not supported\nf.yaml:1:8: aliases such as *x"),
        (
            "a: ${HOME}/x\n",
            "f.yaml:1:4: variables such as ${HOME} are not expanded in an experiment file; write the value",
        ),
        ('a: "\\ud800"\n', "f.yaml:1:4: the character U+D800 is not allowed"),
        ('"a\\ud800": 1\n', "f.yaml:1:1: the character U+D800 is not allowed"),
        ('a: "\\x1b[31m"\n', "f.yaml:1:4: the character U+001B is not allowed"),
        ('a: "\\UFFFFFFFF"\n', "f.yaml"),
        ("a: 1\nb: \x07\n", "f.yaml:2:4: the character U+0007 is not allowed"),
    ],
)
def test_what_is_refused(text, message):
    assert refused(text).startswith(message)


def test_several_problems_at_once():
    assert len(refused("a: 1\na: 2\nb: !t 3\nc: 1e999\n").splitlines()) == 3


def test_too_deep():
    assert "nested more than 50 levels deep" in refused("a: " + "[" * 60 + "]" * 60)
    assert "nested more than 50 levels deep" in refused("a: " + "[" * 100_000)
    assert parse("a: " + "[" * 49 + "]" * 49, "f").tree


def test_an_alias_bomb_is_refused_at_once():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    started = time.perf_counter()
    assert "aliases such as *a0" in refused("\n".join(lines))
    assert time.perf_counter() - started < 1


def test_reads_the_same_tree_as_pyyaml_where_both_versions_of_yaml_agree():
    text = """
    # a comment
    name: "a b"  # another
    data: {train: {image_folder: {path: x/y}}, sizes: [1, -2, 3.5], none: null}
    folded: >
      several
      words
    list:
    - a: 1
      b: true
    - [x, [y]]
    empty: {}
    """
    assert parse(text, "f").tree == yaml.safe_load(text)


def test_file_is_read_with_or_without_a_byte_order_mark(tmp_path):
    file = tmp_path / "f.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: \xc3\xa9\n")
    document = parse(read(file), "f.yaml")
    assert document.tree == {"a": "é"}
    assert str(document.place(("a",), of_key=True)) == "f.yaml:1:1"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a: \xff\n", "is not UTF-8 text: invalid byte at offset 3"),
        ("a: 1".encode("utf-16"), "is not UTF-8 text: invalid byte at offset 0"),
        (b"a: 1\0\n", "is not UTF-8 text: byte 4 is NUL"),
        (b"#" * (2**20 + 1), "is larger than 1 MiB; expected an experiment file"),
    ],
)
def test_bytes_that_are_no_text(tmp_path, data, message):
    file = tmp_path / "f.yaml"
    file.write_bytes(data)
    with pytest.raises(ExperimentError) as error:
        read(file)
    assert str(error.value) == f"{file}: {message}"


def test_files_that_cannot_be_read(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    expected = {
        "none.yaml": "no such file",
        ".": "is a folder, not a file",
        "fifo": "is not a regular file",
        "loop": "cannot be read: Too many levels of symbolic links",
        "x" * 300: "cannot be read: File name too long",
    }
    for name, message in expected.items():
        with pytest.raises(MissingInput, match=message) as error:
            read(tmp_path / name)
        assert error.value.exit_code == 66


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path):
    file = tmp_path / "f.yaml"
    file.write_text("a: 1")
    file.chmod(0)
    with pytest.raises(MissingInput, match="cannot be read: Permission denied"):
        read(file)


def test_the_value_of_an_override_has_no_line():
    assert parse_value("{a: [1, 1e-3]}", "o") == {"a": [1, 1e-3]}
    assert parse_value("", "o") is None
    with pytest.raises(ExperimentError) as error:
        parse_value("[1", "override 'x=[1'")
    assert str(error.value) == "override 'x=[1': a bracket is not closed"


YAMLISH = st.text(st.sampled_from("abn01.:-[]{},'\"|>&*!?#%@`\\ \t\n~=<éx\U0001f600\ufeff\x85\u2028\x00"), max_size=60)


@given(st.one_of(st.text(max_size=80), YAMLISH))
@example("%YAML 1.1\n---\na: 1")
@example("%YAML 9.9\n---\na: 1")
@example("%TAG ! x\n---\na: !b 1")
@example("a: !<\x20> 1")
@example('"\\x"')
@example('a: "\\U00110000"')
@example("?")
@example("- ?")
@example("{? a}")
@example("a: |9\n x")
@example("---\n...\n...\n")
@settings(max_examples=200, deadline=1000)
def test_any_text_is_a_document_or_an_error_with_words(text):
    try:
        document = parse(text, "f.yaml")
    except ExperimentError as error:
        assert error.problems
        assert all(str(problem).startswith("f.yaml") for problem in error.problems)
    else:
        assert isinstance(document, Document)
        assert isinstance(document.tree, dict)
