"""What readers of data notice, as text that knows its sentence in every language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from glassnet.locales.catalogue import Message, Words


class Remark(str):
    """A sentence in English, and the `Message` that other languages are made of.

    Parameters
    ----------
    key : str
        Of the sentence in the catalogues.
    **values
        What it names; other remarks, too.

    Examples
    --------
    >>> remark = Remark("noticed.few", train=3, validation=1)
    >>> print(remark)
    3 rows to learn from and 1 for validation: too few to tell what is learned
    >>> print(say(remark, Words("zh")))
    训练样本 3 个，验证样本 1 个：太少，看不出学到了什么
    """

    message: Message

    def __new__(cls, key: str, /, **values: Any) -> Remark:
        """Make the sentence."""
        message = Message(key, **{name: getattr(value, "message", value) for name, value in values.items()})
        self = super().__new__(cls, message)
        self.message = message
        return self

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:
        """Pickle and copy by the arguments."""
        return (self.message.key,), self.message.values


def say(remark: str, words: Words) -> str:
    """Return a remark in a language; plain text, which has no other, as it is."""
    return words.render(remark.message) if isinstance(remark, Remark) else remark


def name_some(names: Sequence[str], most: int) -> Remark:
    """Return the first names in a row, and how many more there are."""
    first, more = list(names[:most]), len(names) - most
    return Remark("noticed.more", first=first, left=more) if more > 0 else Remark("noticed.all", first=first)


def join_remarks(parts: Sequence[Remark]) -> Remark:
    """Return remarks as one, with semicolons between them."""
    return Remark("noticed.joined", parts=[part.message for part in parts])
