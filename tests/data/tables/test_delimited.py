"""CSV, TSV and semicolon-separated text: which characters end rows and cells, and what is refused with its line."""

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ftaug.data.tables import delimited
from ftaug.errors import BadData


def file(folder, content, name="t.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(folder, content, name="t.csv"):
    return list(delimited.records(file(folder, content, name)))


NOT_LINE_ENDS = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_only_three_line_ends_end_rows(tmp_path, end):
    text = f"a{NOT_LINE_ENDS}b"
    assert len(text.splitlines()) == 9  # what str.splitlines would cut
    rows = read(tmp_path, end.join(["label,text", f"x,{text}", f'y,"c{end}d"', "z,e", ""]))
    assert rows == [(1, ["label", "text"]), (2, ["x", text]), (3, ["y", f"c{end}d"]), (5, ["z", "e"])]


def test_line_numbers_are_right_behind_a_mark_empty_lines_and_quoted_lines(tmp_path):
    content = '\ufefflabel,text\n\nx,"two\n\nlines"\n\n\ny,one\n'
    assert read(tmp_path, content) == [(1, ["label", "text"]), (3, ["x", "two\n\nlines"]), (8, ["y", "one"])]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("pos,good, really", "t.csv:3: the row has 3 cells and the header 2; "
         'quote a cell that contains a comma'),
        ("pos", "t.csv:3: the row has 1 of 2 columns"),
        ("pos,good\\, really", 't.csv:3: a backslash does not escape a comma; put the whole cell in quotation marks'),
        ('pos,"good', "t.csv:3: the row cannot be read: a cell that opens with a quotation mark is never closed"),
        ('pos,"so ""good"\nneg,"x', "t.csv:4: the row cannot be read: a cell that opens"),
        ('pos,"good" film', "t.csv:3: the row cannot be read: ',' expected after '\"'; inside a quoted cell, quotation "
         "marks are doubled"),
        ('pos,"a \\"good\\" film"', "quotation marks are doubled, not escaped by a backslash"),
    ],
)  # fmt: skip
def test_rows_that_are_not_like_the_header_are_refused(tmp_path, row, said):
    with pytest.raises(BadData) as caught:
        read(tmp_path, f"label,text\nneg,bad\n{row}\n")
    assert said in str(caught.value)


def test_a_backslash_at_the_end_of_a_cell_is_part_of_it(tmp_path):
    content = 'path,label\nC:\\new\\,x\n"D:\\new\\","a\\, b"\n'
    assert read(tmp_path, content)[1:] == [(2, ["C:\\new\\", "x"]), (3, ["D:\\new\\", "a\\, b"])]


@pytest.mark.parametrize(
    ("header", "name", "expected"),
    [
        ("label,text", "t.csv", ","),
        ("label;text", "t.csv", ";"),
        ("label\ttext", "t.csv", "\t"),
        ("label|text", "t.csv", "|"),
        ("label,text;more;and more", "t.csv", ","),
        ('"label";"text, or so"', "t.csv", ";"),
        ('"a;b",text', "t.csv", ","),
        ("text", "t.csv", ","),
        ("label\ttext", "t.tsv", "\t"),
        ("label,text", "t.tsv", ","),
        ("", "t.tsv", "\t"),
    ],
)
def test_the_separator_is_that_of_the_header(tmp_path, header, name, expected):
    path = file(tmp_path, f"\ufeff{header}\na,b;c;d;e\n", name)
    assert delimited.delimiter(path) == expected
    recognized = expected != {"t.csv": ",", "t.tsv": "\t"}[name]
    assert bool(delimited.note(path)) == recognized
    if recognized:
        assert delimited.note(path) == (
            f"{name}: columns are separated by {delimited.NAMES[expected]}, as in its header",
        )


def test_semicolons_are_named_in_errors(tmp_path):
    assert read(tmp_path, "score;text\n1,5;fine, really\n")[1:] == [(2, ["1,5", "fine, really"])]
    with pytest.raises(BadData, match="the header 2; quote a cell that contains a semicolon"):
        read(tmp_path, "score;text\n1,5;fine; really\n")


CELL = st.text(st.characters(codec="utf-8"), max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(CELL, CELL), max_size=6), st.sampled_from([",", ";", "\t"]))
def test_what_csv_writes_comes_back(tmp_path, rows, mark):
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=mark, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *rows])
    assert [tuple(row) for _, row in read(tmp_path, text.getvalue())] == [("a", "b"), *rows]
