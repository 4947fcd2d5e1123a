"""Messages as values, and the sentences that they become in a reader's language.

What has something to say returns a `Message`: the key of a sentence and the values that it names. `Words` makes
the sentence of it, from the catalogue of one language: ``en.toml`` or ``zh.toml`` beside this module.
"""

from __future__ import annotations

import math
import re
import string
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, Literal, get_args

from glassnet.errors import unknown_name

Language = Literal["en", "zh"]

#: The languages of the catalogues.
LANGUAGES: tuple[Language, ...] = get_args(Language)

#: Between a Chinese sign and a letter or digit stands a space, between two Chinese signs none.
HAN, LATIN = "[\u3400-\u9fff]", "[A-Za-z0-9%]"
LACKS_SPACE = re.compile(f"{HAN}{LATIN}|{LATIN}{HAN}")
HAS_SPACE = re.compile(f"{HAN} {HAN}")

#: Names that a sentence lists before the others are only counted.
MOST_NAMES = 3


class Message:
    """A sentence as a value: its key in the catalogues, and the values that it names.

    Parameters
    ----------
    key : str
        Of the sentence, ``"causes.stuck-loss"`` for example.
    **values
        Numbers, texts, lists of these, dictionaries of settings, or other messages.

    Attributes
    ----------
    key : str
    values : dict of str to object

    Examples
    --------
    >>> found = Message("causes.unscaled-inputs", rms=147.25)
    >>> print(found)
    the inputs have a root mean square of 147; networks expect about 1
    >>> print(Words("zh").render(found))
    输入的均方根为 147，而网络适合的大小约为 1
    """

    def __init__(self, key: str, /, **values: Any) -> None:
        self.key, self.values = key, values

    def __str__(self) -> str:
        """Return the English sentence."""
        return Words("en").render(self)

    def __repr__(self) -> str:
        """Return what makes the message again."""
        return f"Message({', '.join([repr(self.key), *(f'{k}={v!r}' for k, v in self.values.items())])})"

    def __eq__(self, other: object) -> bool:
        """Whether both say the same."""
        return isinstance(other, Message) and (self.key, self.values) == (other.key, other.values)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON; numbers that are not finite are written as text.

        Examples
        --------
        >>> Message("causes.unscaled-inputs", rms=float("inf")).to_dict()
        {'key': 'causes.unscaled-inputs', 'values': {'rms': 'inf'}}
        """
        return {"key": self.key, "values": {name: _plain(value) for name, value in self.values.items()}}

    @classmethod
    def from_dict(cls, record: Any) -> Message:
        """Read what `to_dict` wrote.

        Raises
        ------
        ValueError
            If the record is something else, or no sentence can be made of it.
        """
        found = _message(record)
        if not isinstance(found, Message):
            raise ValueError(f"no message: {record!r}")
        try:
            for language in LANGUAGES:
                Words(language).render(found)
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise ValueError(f"no sentence can be made of {record!r}: {error!r}") from None
        return found

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Let pydantic read a message out of a record."""
        from pydantic_core.core_schema import no_info_plain_validator_function

        return no_info_plain_validator_function(cls.from_dict)


def _plain(value: Any) -> Any:
    if isinstance(value, Message):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _message(record: Any) -> Any:
    """Return the value that `_plain` was given."""
    if isinstance(record, list):
        return [_message(one) for one in record]
    if not isinstance(record, dict):
        return record
    values = record.get("values")
    if set(record) == {"key", "values"} and isinstance(record["key"], str) and isinstance(values, dict):
        return Message(record["key"], **{str(name): _message(value) for name, value in values.items()})
    return {str(name): _message(value) for name, value in record.items()}


@cache
def catalogue(language: str) -> dict[str, str | dict[str, str]]:
    """Return the texts of a language by key; those of a table begin with its name: ``"kinds.dead-units"``.

    A text with a plural is a dictionary: ``"one"`` is said where ``n`` is 1, ``"other"`` otherwise.
    """
    text = (resources.files("glassnet.locales") / f"{language}.toml").read_text(encoding="utf-8")
    found: dict[str, str | dict[str, str]] = {}
    for name, value in tomllib.loads(text).items():
        if isinstance(value, str) or "other" in value:
            found[name] = value
        else:
            found |= {f"{name}.{key}": entry for key, entry in value.items()}
    return found


class Words(string.Formatter):
    """The sentences of one language.

    A catalogue names values in braces, with a format as in `str.format`. The parts of a list are separated by
    commas, dictionaries are written as ``name=value``, and None as a dash. Besides the formats of numbers there
    are these:

    - ``quoted``: in quotation marks; ``listed``: names in quotation marks, the last after "and";
    - ``settings``: a dictionary as ``name value``;
    - ``sentences``: a list, one sentence after the other; ``items``: a list, with semicolons;
    - the names of tables: ``{measure:measures}`` is what a measure is called.

    Parameters
    ----------
    language : {"en", "zh"}

    Raises
    ------
    UsageError
        If there is no catalogue of that language.

    Examples
    --------
    >>> Words("en").say("n_epochs", n=3), Words("zh").say("n_epochs", n=3)
    ('3 epochs', '3 轮')
    """

    def __init__(self, language: str) -> None:
        if language not in LANGUAGES:
            raise unknown_name("language", language, LANGUAGES)
        self.language = language
        self.texts = catalogue(language)

    def say(self, key: str, /, **values: Any) -> str:
        """Return a sentence with its values filled in."""
        text = self.texts[key]
        if isinstance(text, dict):
            text = text["one" if values.get("n") == 1 and "one" in text else "other"]
        return self.vformat(text, (), values)

    def vformat(self, format_string: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
        """Return a text with its values; in Chinese with a space where signs and letters meet."""
        pieces: list[str] = []
        for literal, name, form, _ in self.parse(format_string):
            pieces += [literal] if name is None else [literal, self.format_field(kwargs[name], form or "")]
        return "".join(pieces) if self.language != "zh" else _join_chinese(pieces)

    def render(self, message: Message) -> str:
        """Return the sentence of a message."""
        return self.say(message.key, **message.values)

    def format_field(self, value: Any, format_spec: str) -> str:
        """Return a value as a sentence has it; see the class."""
        if isinstance(value, Message):
            return self.render(value)
        if format_spec == "listed":
            return self.listed(value)
        if isinstance(value, list | tuple):
            inner = "" if format_spec in JOINTS else format_spec
            return self.join([self.format_field(one, inner) for one in value], JOINTS.get(format_spec, "and"))
        if isinstance(value, Mapping):
            return self.join(f"{name}{' ' if format_spec else '='}{one}" for name, one in value.items())
        if value is None:
            return "–"
        if format_spec == "quoted":
            return self.say("quoted", name=value)
        if format_spec in TABLES:
            return self.name(format_spec, value)
        if isinstance(value, str) and format_spec:  # a number that is not finite, out of a record
            value = float(value)
        text = format(value, format_spec)
        if isinstance(value, float) and "e+0" in text and abs(value) < 1e6:  # 120 and not 1.2e+02
            return format(float(text), ".0f")
        return text

    def join(self, parts: Iterable[str], joint: str = "and") -> str:
        """Return parts of a sentence, or sentences, with what stands between them; empty ones are left out."""
        return self.say(joint).join(filter(None, parts))

    def name(self, table: str, code: str) -> str:
        """Return what something is called by a table of names; what is not in it by its own name."""
        found = self.texts.get(f"{table}.{code}")
        return str(found) if found is not None else code.replace("-", " ").replace("_", " ")

    def measure(self, name: str) -> str:
        """Return what a measure is called."""
        return self.name("measures", name)

    def listed(self, names: Sequence[str], most: int = MOST_NAMES) -> str:
        """Return names as a list in a sentence; more than so many are counted."""
        shown = [self.say("quoted", name=name) for name in names[:most]]
        if len(names) > most:
            shown.append(self.say("list_more", n=len(names) - most))
        return shown[0] if len(shown) == 1 else self.say("list_and", first=shown[:-1], last=shown[-1])

    def duration(self, seconds: float) -> str:
        """Return a time as people say it."""
        if seconds < 59.95:
            return self.say("seconds", seconds=f"{seconds:.1f}" if seconds >= 1 else f"{seconds:.2g}")
        whole = round(seconds)
        if whole < 3600:
            return self.say("minutes", minutes=whole // 60, seconds=whole % 60)
        return self.say("hours", hours=whole // 3600, minutes=whole % 3600 // 60)


def _join_chinese(pieces: Sequence[str]) -> str:
    """Return the pieces of a sentence as one: a space is added, or taken away, where two of them meet."""
    text = ""
    for piece in pieces:
        if LACKS_SPACE.fullmatch(text[-1:] + piece[:1]):
            text += " "
        elif HAS_SPACE.fullmatch(text[-2:] + piece[:1]):
            text = text[:-1]
        elif HAS_SPACE.fullmatch(text[-1:] + piece[:2]):
            piece = piece[1:]
        text += piece
    return text


#: Tables of names that a format may ask for.
TABLES = (
    *("measures", "kinds", "statuses", "verdicts", "behaviours", "adam_forms", "grades", "covers"),
    *("nodes", "formula_words", "views", "splits", "stops", "designs", "printed_names"),
    *("likeness_weights", "likeness_batches", "likeness_masks"),
)

#: What stands between the parts of a list, by format; a comma for all others.
JOINTS = {"sentences": "between_sentences", "items": "between_items"}
