import csv
import io

from tests.loops import for_each

from glassnet.runtime.csv_text import csv_text, is_formula


@for_each("text", ["=A1", "+cmd", "-x", "@sum", "\t=1", "\r", "\uff1dA1", "+-1", "-+", "+1+cmd|'x'!A0"])
def test_what_a_spreadsheet_takes_for_a_formula_gets_an_apostrophe(text):
    assert is_formula(text)
    for formulas, written in ((False, f"'{text}"), (True, text)):
        rows = list(csv.reader(io.StringIO(csv_text([["name"], [text]], formulas=formulas), newline="")))
        assert rows == [["name"], [written]]


@for_each("text", ["-1.5", "+2e-05", "-", "+", "12 %", "a=b", "", "-1,5%"])
def test_numbers_and_other_text_stay(text):
    assert not is_formula(text)
    assert csv_text([["name", "n"], [text, -1]]) in (f"name,n\n{text},-1\n", f'name,n\n"{text}",-1\n')


def test_lines_end_as_in_unix_and_a_carriage_return_is_quoted():
    assert csv_text([["a"], ["x\ry"], [None], [0.1]]) == 'a\n"x\ry"\n""\n0.1\n'
