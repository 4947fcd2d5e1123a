import pytest

from glassnet.errors import UsageError
from glassnet.nn.activations import ACTIVATIONS
from glassnet.nn.initializers import INITIALIZERS
from glassnet.nn.losses import LOSSES
from glassnet.nn.registry import Registry


class Thing:
    def __init__(self, *arguments, **options):
        self.arguments, self.options = arguments, options


@pytest.fixture
def things():
    registry = Registry("thing", Thing)
    registry.add("thing", Thing)
    registry.add("pair", lambda first, second=2: Thing(first, second))
    return registry


@pytest.mark.parametrize(
    ("spec", "arguments", "options"),
    [
        ("thing", (), {}),
        ("  thing  ", (), {}),
        ("thing()", (), {}),
        ("thing(1, -2.5)", (1, -2.5), {}),
        ("thing(1e-3, key=2)", (1e-3,), {"key": 2}),
        ("thing(sum)", ("sum",), {}),
        ("thing('a b', key=mean)", ("a b",), {"key": "mean"}),
        ("thing([1, 2], (3, None), {'a': True})", ([1, 2], (3, None), {"a": True}), {}),
    ],
)
def test_a_specification_is_read_as_a_call_with_literals(things, spec, arguments, options):
    thing = things.resolve(spec)
    assert (thing.arguments, thing.options) == (arguments, options)


def test_an_object_of_the_family_is_returned_as_it_is(things):
    thing = Thing()
    assert things.resolve(thing) is thing


@pytest.mark.parametrize(
    "spec",
    [
        "", " ", "1", "'thing'", "thing(", "thing)", "thing.other", "thing.other(1)", "thing[0]", "thing(1)(2)",
        "thing 1", "thing; thing", "thing(1 + x)", "thing(x.y)", "thing(*[1])", "lambda: 1", "thi\0ng",
        "thing({[]: 1})",
        "thing(a=1, a=2)", "thing(" + "-" * 5000 + "1)", "thing(f'{1}')", "thing(thing(1))",
    ],
)  # fmt: skip
def test_bad_syntax_is_refused(things, spec):
    with pytest.raises(UsageError, match=r"^thing: cannot read .* write a name, or a name with values") as caught:
        things.resolve(spec)
    assert "\n" not in str(caught.value)


def test_no_code_is_executed(things, tmp_path):
    for attack in ("thing(open({!r}, 'w'))", "open({!r}, 'w')", "thing([open({!r}, 'w') for i in [1]])"):
        with pytest.raises(UsageError):
            things.resolve(attack.format(str(tmp_path / "made")))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "spec", ["pair", "pair(1, 2, 3)", "pair(1, third=3)", "pair(1, first=2)", "pair(**{'first': 1})"]
)
def test_wrong_arguments_are_one_line(things, spec):
    with pytest.raises(UsageError, match=r"^thing: .* does not fit pair: ") as caught:
        things.resolve(spec)
    assert "\n" not in str(caught.value)


def test_a_factorys_own_usage_error_comes_through(things):
    def picky(value):
        raise UsageError("value", f"too odd: {value}")

    def strict(value):
        raise ValueError("not that")

    things.add("picky", picky)
    things.add("strict", strict)
    with pytest.raises(UsageError, match=r"^thing: picky: value: too odd: 3$"):
        things.resolve("picky(3)")
    with pytest.raises(UsageError, match=r"^thing: 'strict\(3\)' does not fit strict: not that$"):
        things.resolve("strict(3)")


def test_an_unknown_name_comes_with_the_nearest_known_one(things):
    with pytest.raises(
        UsageError, match=r"^thing: unknown name 'thimg'; did you mean 'thing'\? Known: pair, thing$"
    ):
        things.resolve("thimg")
    with pytest.raises(UsageError, match=r"^thing: unknown name 'xyz'; Known: pair, thing$"):
        things.factory("xyz")


@pytest.mark.parametrize("spec", [None, 3, 2.5, ["thing"], Thing])
def test_what_is_neither_name_nor_object_is_refused(things, spec):
    with pytest.raises(UsageError, match=r"^thing: expected a name or a Thing, got"):
        things.resolve(spec)


def test_a_name_is_given_once_and_can_be_typed(things):
    with pytest.raises(UsageError, match="the name 'pair' is taken"):
        things.add("pair", Thing)
    for name in ("", "two words", "1st", "a-b", "lambda", "None"):
        with pytest.raises(UsageError, match="is no usable name"):
            things.add(name, Thing)
    assert list(things) == ["thing", "pair"]


def test_an_alias_and_a_hyphen_lead_to_the_same_thing():
    aliases = {"mse": "half_squared_error", "mae": "absolute_error", "bce": "binary_cross_entropy"}
    for alias, name in (aliases | {"cross-entropy": "cross_entropy"}).items():
        assert LOSSES.resolve(alias) == LOSSES.resolve(name)
        assert LOSSES.resolve(f" {alias}(sum)").spec == f"{name}(reduction=sum)"
    assert not set(aliases) & set(LOSSES)  # who goes through all losses meets each once
    assert INITIALIZERS.resolve("uniform(-1, 1)").spec == "uniform(-1, 1)"


@pytest.mark.parametrize(
    ("registry", "name", "nearest"),
    [(ACTIVATIONS, "ReLU", "relu"), (LOSSES, "msee", "mse"), (LOSSES, "CrossEntropy", "cross_entropy")],
)
def test_the_nearest_name_is_proposed_whatever_its_capitals(registry, name, nearest):
    with pytest.raises(UsageError, match=rf"unknown name '{name}'; did you mean '{nearest}'\? Known: "):
        registry.resolve(name)
