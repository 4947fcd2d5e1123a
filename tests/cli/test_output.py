"""How tables are set on the terminal."""

from glassnet.cli.output import print_table


def test_text_is_set_left_and_numbers_right(capsys):
    rows = [["a", "0.5", "x"], ["longer", "10.25", "yy"]]
    print_table(["name", "loss", "note"], rows, text=(0, 2))
    print_table(["name", "loss"], [row[:2] for row in rows])
    assert capsys.readouterr().out == (
        "name     loss  note\na         0.5  x\nlonger  10.25  yy\nname     loss\na         0.5\nlonger  10.25\n"
    )
