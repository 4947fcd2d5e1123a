import io

import pandas
from tests.loops import for_each

from glassnet.charts.tables import LONG_TABLE, Cell, Table, latex_text, opacity

ROWS = [["shoe, black", "1,200", "88.43 %", "−0.5"], [Cell("hat", full="hat_1"), "7", "–", "1.5e-05"]]
TABLE = Table("Rows", ["class", "rows", "right", "gain"], ROWS, key="rows")


def test_programs_read_the_numbers_of_a_table():
    found = pandas.read_csv(io.StringIO(TABLE.to_csv()))
    assert found["class"].tolist() == ["shoe, black", "hat_1"]
    assert found["rows"].tolist() == [1200, 7]
    assert found["right"].iloc[0] == 0.8843
    assert found["right"].isna().tolist() == [False, True]
    assert found["gain"].tolist() == [-0.5, 1.5e-05]


def test_text_that_is_no_number_stays_and_a_formula_is_disarmed():
    table = Table("", ["class", "units"], [["=cmd()", "0 / 32"], ["12,5", "1,23"]])
    assert table.to_csv() == 'class,units\n\'=cmd(),0 / 32\n"12,5","1,23"\n'


def test_numbers_for_programs_take_the_place_of_what_is_shown():
    table = Table("", ["mean"], [["0.33"]], numbers=[["mean", "n"], [1 / 3, None]])
    assert table.to_csv() == "mean,n\n0.3333333333333333,\n"


@for_each(
    "text, written",
    [
        ("50 % of a_b & {c} #1 $x$", r"50 \% of a\_b \& \{c\} \#1 \$x\$"),
        ("C:\\x ~ ^", r"C:\textbackslash{}x \textasciitilde{} \textasciicircum{}"),
        ("a\n\u202eb", r"a\textbackslash{}n\textbackslash{}u202eb"),
        ("损失 é", "损失 é"),
    ],
)
def test_latex_writes_a_text_as_it_stands(text, written):
    assert latex_text(text) == written


def test_latex_has_the_rules_of_booktabs_and_says_what_it_needs():
    table = Table("All", ["a", "b"], [[Cell("x", bold=True, code=True), "1"]], note="50 %", turned=True)
    lines = table.to_latex().splitlines()
    assert lines[0] == r"% needs \usepackage{booktabs,graphicx}"
    rules = [line for line in lines if line in (r"\toprule", r"\midrule", r"\bottomrule")]
    assert rules == [r"\toprule", r"\midrule", r"\bottomrule"]
    assert r"a & \rotatebox{90}{b} \\" in lines
    assert r"\textbf{\texttt{x}} & 1 \\" in lines
    assert lines[-2:] == [r"\par\smallskip\footnotesize 50 \%", r"\end{table}"]


def test_shades_are_colours_in_latex():
    table = Table("All", ["a", "b", "c"], [["x", Cell("7", 1.0), Cell("0", -0.5)], ["y", "1", "2"]])
    lines = table.to_latex().splitlines()
    assert lines[0] == r"% needs \usepackage{booktabs} \usepackage[table]{xcolor}"
    # half of blue 29, 78, 216 on white; 0.4 of orange 217, 119, 6
    assert r"x & \cellcolor[RGB]{142,166,236}7 & \cellcolor[RGB]{240,201,155}0 \\" in lines
    assert r"y & 1 & 2 \\" in lines


def test_chinese_in_latex_says_what_it_needs():
    first, _, rest = Table("损失", ["a"], [["x"]]).to_latex().partition("\n")
    assert first == r"% needs \usepackage{booktabs} \usepackage{ctex}, and XeLaTeX or LuaLaTeX"
    assert rest.startswith(r"\begin{table}")


def test_a_long_table_goes_over_pages_and_long_text_over_lines():
    rows = [[str(n), "a word " * 9] for n in range(LONG_TABLE + 1)]
    text = Table("All", ["n", "why"], rows, text=(1,)).to_latex()
    assert text.startswith("% needs \\usepackage{booktabs,longtable}\n\\begin{longtable}{rp{0.75\\linewidth}}\n")
    assert text.count(r"\\") == LONG_TABLE + 3  # caption, header, rows
    assert "longtable" not in Table("All", ["n", "why"], rows[1:], text=(1,)).to_latex()


def test_a_notebook_gets_no_markup_of_a_name():
    text = Table("<i>", ["<u>"], [["<script>"]]).to_html()
    assert "&lt;script&gt;" in text
    assert not {"<script>", "<i>", "<u>"} & {text[i : text.find(">", i) + 1] for i in range(len(text))}


def test_strong_colours_stay_legible():
    assert [opacity(shade) for shade in (0.0, 0.5, -0.5, 1.0, -1.0)] == [0, 0.25, 0.4, 0.5, 0.55]
