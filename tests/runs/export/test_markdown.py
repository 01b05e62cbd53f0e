"""Names in a table are text: they end no cell and are no markup."""

from ftaug.runs.export.markdown import cell, table


def test_a_name_stays_within_its_cell():
    assert cell("a|b\n<script>*x*_y_[z]`") == r"a\|b &lt;script>\*x\*\_y\_\[z\]" + r"\`"
    assert table(("class", "n"), [("a|b", 3)]) == "| class | n |\n| --- | ---: |\n| a\\|b | 3 |"
