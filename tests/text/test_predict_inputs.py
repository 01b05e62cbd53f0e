"""The texts that a command line names: where lines and rows end, and what is left out or wrong."""

import pytest

from ftaug.errors import BadData, MissingInput
from ftaug.text.predict_inputs import Inputs
from ftaug.text.types import Text


def write(folder, **files):
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_bytes(content.encode())


def texts(*names):
    return [(one.name, one.read()) for one in Inputs().of(names)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_only_three_line_ends_end_lines_and_rows(tmp_path, monkeypatch, end):
    monkeypatch.chdir(tmp_path)
    odd = "a\u2028b\x0bc\x0cd\x85e"
    write(tmp_path, t_txt=f"{odd}{end}f{end}", t_csv=f"text,n{end}{odd},1{end}f,2{end}")
    expected = [Text(odd), Text("f")]
    assert texts("t.txt") == [(f"t.txt:{i}", text) for i, text in enumerate(expected, 1)]
    assert texts("t.csv") == [(f"t.csv:{i}", text) for i, text in enumerate(expected, 2)]


def test_a_broken_row_ends_its_table_with_its_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, t_csv="label,text\npos,good\npos,good, really\nneg,bad\n", u_txt="more")
    first, broken, other = Inputs().of(["t.csv", "u.txt"])
    assert first.read() == Text("good") and other.read() == Text("more") and broken.name == "t.csv:3"
    with pytest.raises(BadData, match=r"^the row has 3 cells and the header 2; .*; the remaining rows are not read$"):
        broken.read()


def test_all_that_is_wrong_is_named_before_the_first_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("x")
    write(
        tmp_path,
        d_json='[{"text": "a"}]',
        a_csv="words\nx\n",
        b_jsonl='{"text": "a", "text": "b"}\n',
        c_csv="text,n\na,b,c\n",
    )
    with pytest.raises(MissingInput) as caught:
        next(Inputs().of(["no.txt", "no.xlsx", "d.json", "docs", "a text", "a.csv", "b.jsonl", "c.csv"]))
    assert str(caught.value).splitlines() == [
        "no.txt: no such file or folder (to predict it as a text, use standard input: -)",
        "no.xlsx: no such file or folder (to predict it as a text, use standard input: -)",
        "d.json: .json is not supported; supported: .csv, .tsv, .tab, .jsonl, .ndjson, .parquet, or one text per line",
        "docs: holds no .txt; it holds .md (1)",
        "a.csv:1: no column 'text'; the columns are 'words'",
        "b.jsonl:1: duplicate key 'text'",
        "c.csv:2: the row has 3 cells and the header 2; quote a cell that contains a comma",
    ]


def test_files_left_out_and_recognized_separators_are_said(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    for name in ("a.txt", "b.md", "c.md", "d.csv"):
        (tmp_path / "docs" / name).write_text("a text")
    write(tmp_path, t_csv="n;text\n1;one, two\n")
    assert [text.first for _, text in texts("docs", "t.csv")] == ["a text", "one, two"]
    assert capsys.readouterr().err.splitlines() == [
        "docs: ignored: .csv (1), .md (2); supported: .txt",
        "t.csv: columns are separated by a semicolon, as in its header",
    ]
