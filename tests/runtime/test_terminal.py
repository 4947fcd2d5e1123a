"""Nothing that is printed steers a terminal, and one module prints it."""

import io
import json
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table
from tests.loops import for_each

from glassnet.runtime.callers import warn_caller
from glassnet.runtime.terminal import (
    choose_encodings,
    escape,
    pad,
    print_exactly,
    print_lines,
    stderr_console,
    tell,
    width_of,
)

#: A title, a colour, a bell, C1's own ESC [, DEL, line breaks, a turned order, characters without width.
HOSTILE = (
    "\x1b]0;title\x07\x1b[31m\x9b2J\x7f\r\n\t\x0b\u2028\u2029\x85\u202e\u2066\u200f\u061c\u200b\ufeff\ud800\ue000"
)
SHOWN = (
    r"\x1b]0;title\x07\x1b[31m\x9b2J\x7f\r\n\t\x0b\u2028\u2029\x85\u202e\u2066\u200f\u061c\u200b\ufeff\ud800\ue000"
)


def test_what_would_steer_a_terminal_is_shown_as_python_writes_it():
    assert escape(HOSTILE) == SHOWN


@for_each(
    "text", ["", "red", "łódź", "数据 集", "日本\u3000語", "1\xa0000", "🙂", "e\u0301", r"C:\new", "עברית", "a  b"]
)
def test_letters_signs_and_spaces_stay(text):
    assert escape(text) == text


@given(st.text(st.characters(), max_size=20))
def test_no_character_without_a_picture_is_left(text):
    kinds = {unicodedata.category(one) for one in escape(text)}
    assert not kinds & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def test_lines_and_messages_are_escaped(capsys):
    print_lines()
    print_lines("first\n", HOSTILE)
    tell(f"{HOSTILE}: is no number")
    assert capsys.readouterr() == (f"\nfirst\\n\n{SHOWN}\n", f"glassnet: {SHOWN}: is no number\n")


@for_each("terminal, shown", [(False, "a,b\nx\r\x1b,y\n"), (True, "a,b\nx\\r\\x1b,y\n")])
def test_what_programs_read_is_exact_unless_a_person_reads_it(terminal, shown):
    stream, before = io.StringIO(), sys.stdout
    stream.isatty = lambda: terminal
    sys.stdout = stream
    try:
        print_exactly("a,b\nx\r\x1b,y\n")
    finally:
        sys.stdout = before
    assert stream.getvalue() == shown


@for_each("terminal, said", [(False, "数\x1b".encode()), (True, b"\\u6570\x1b")])
def test_a_pipe_gets_utf_8_and_a_console_what_it_has_signs_for(terminal, said, monkeypatch):
    content = io.BytesIO()
    stream = io.TextIOWrapper(content, encoding="ascii")
    stream.isatty = lambda: terminal
    monkeypatch.setattr(sys, "stdout", stream)
    choose_encodings()
    stream.write("数\x1b")
    stream.flush()
    assert content.getvalue() == said


def test_a_console_takes_no_name_for_markup_or_emoji(capsys):
    console = stderr_console()
    table = Table(box=None, caption="[blue]:bug:\x1b[2J", caption_justify="left")
    table.add_column("[bold]head\x07")
    table.add_row("[red]:x:\x1b]0;t\x07\u202e")
    console.print("[red]:smile: \x1b[31m", soft_wrap=True)
    console.print(table)
    shown = capsys.readouterr().err
    for text in (
        r"[red]:smile: \x1b[31m",
        r"[bold]head\x07",
        r"[red]:x:\x1b]0;t\x07\u202e",
        r"[blue]:bug:\x1b[2J",
    ):
        assert text in shown
    assert escape(shown.replace("\n", "")) == shown.replace("\n", "")


def test_a_warning_is_escaped():
    with pytest.warns(UserWarning, match=r"^\\x1b\[31mred\\n$"):
        warn_caller("\x1b[31mred\n")


def test_a_record_for_programs_is_exact_and_ascii():
    code = f"from glassnet.cli.output import print_json; print_json({{'name': {HOSTILE!r}}})"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert json.loads(said) == {"name": HOSTILE}
    assert all(32 <= byte < 127 for byte in said.removesuffix(b"\n"))


@for_each(
    "text, width", [("AUC", 3), ("准确率", 6), ("验证 AUC：", 10), ("é", 1), ("e\u0301", 1), ("R²", 2), ("", 0)]
)
def test_a_chinese_sign_takes_two_columns(text, width):
    assert width_of(text) == width
    assert width_of(pad(text, 12)) == width_of(pad(text, 12, right=True)) == 12
    assert pad(text, 12).startswith(text)
    assert pad(text, 12, right=True).endswith(text)
