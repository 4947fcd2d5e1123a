"""The flags of the command line are made of the options' fields, and read by their types."""

import pytest

from glassnet.cli.options import collect_changes
from glassnet.errors import UsageError
from glassnet.training.options import SECTIONS, fields_of, option_of


@pytest.mark.parametrize("section", SECTIONS)
def test_train_has_a_flag_for_every_option(glassnet, section, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    text = glassnet("train", "--help").out
    for name, field in fields_of(section).items():
        about = option_of(field)
        shown = name.upper() if name == "dataset" else f"--{name.replace('_', '-')}"
        assert (f"  {shown} " in text) == (about.flag or name == "seed"), name
        assert not about.flag or about.says.split(": ")[0] in " ".join(text.split()), name


def test_a_command_has_the_options_that_it_names(glassnet):
    explain, check, audit = (
        glassnet(*words, "--help").out for words in (["explain"], ["check"], ["data", "audit"])
    )
    assert "--dropout" in explain
    assert "[default: sigmoid]" in " ".join(explain.split())
    assert not any(flag in explain for flag in ("--layers", "--dtype", "--epochs"))
    assert all(flag in check for flag in ("--layers", "--learning-rate", "--batch-size", "--seed"))
    assert not any(flag in check for flag in ("--epochs", "--schedule"))
    for option in ("--target COLUMN", "--task", "--drop", "--sep", "--sheet", "--size", "--x-key"):
        assert option in audit, option
    assert not any(flag in audit for flag in ("--validation", "--scaling", "--split-seed"))


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("layers", "64, 10", [64, 10]),
        ("activation", "relu", "relu"),
        ("activation", "relu, tanh", ["relu", "tanh"]),
        ("dropout", "0.5", 0.5),
        ("dropout", "0.1,0.4", [0.1, 0.4]),
        ("batch_norm", False, False),
        ("validation", "100", 100),
        ("validation", "0.25", 0.25),
        ("validation", "last(5)", "last(5)"),
        ("samples_per_epoch", "1.0", 1.0),
        ("class_weight", "balanced", "balanced"),
        ("class_weight", "a=b=2, c=1", {"a=b": 2.0, "c": 1.0}),
        ("metrics", "f1", ["f1"]),
        ("size", "28", [28]),
        ("size", "28x32", [28, 32]),
        ("size", "28, 32", [28, 32]),
        ("drop", ["Name"], ["Name"]),
        ("drop", ["Name, Ticket"], ["Name", "Ticket"]),
        ("drop", ["Name", "Ticket"], ["Name", "Ticket"]),
        ("columns", ["a,b", "c"], ["a,b", "c"]),
        ("columns", ['"a,b", c'], ["a,b", "c"]),
        ("epochs", "3", 3),
        ("l2", "1e-3", 0.001),
        ("sampling", "first", "first"),
    ],
)
def test_the_text_of_a_flag_is_read_by_the_options_type(name, text, value):
    changes = collect_changes({name: text, "threads": None})
    (section,) = [section for section in SECTIONS if name in fields_of(section)]
    assert changes == {one: {name: value} if one == section else {} for one in SECTIONS}
    assert type(changes[section][name]) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("epochs", "3.5", "epochs: must be a whole number; got '3.5'"),
        ("l1", "x", "l1: must be a number; got 'x'"),
        ("seed", "x", "seed: must be a whole number; got 'x'"),
        ("dropout", "a,b", "dropout: must be a share such as 0.4, or several: 0.1,0.4,0.4; got 'a,b'"),
        ("class_weight", "a=1,a=2", "class_weight: the class a is given twice"),
        ("size", "28 by 28", "size: must be whole numbers with commas between; got '28 by 28'"),
    ],
)
def test_a_text_that_is_not_of_the_type_is_one_line(name, text, said):
    with pytest.raises(UsageError) as caught:
        collect_changes({name: text})
    assert str(caught.value) == said
