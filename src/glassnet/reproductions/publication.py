"""Published tables that glassnet can repeat: their settings as a study, and what they print."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from glassnet.errors import UsageError, unknown_name
from glassnet.study.design import Study
from glassnet.study.specification import study_of
from glassnet.training.config import validate

#: How a figure of several seeds becomes one, and whether it is that of the last epoch or of the best.
Over = Literal["mean", "best"]

#: A text about the table in each language of the pages.
Texts = Annotated[dict[Literal["en", "zh"], str], Field(min_length=2)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Figure(_Part):
    """A number that was printed.

    Attributes
    ----------
    quantity : str
        ``"test_accuracy"`` of the network as it ended; or a column of the history: ``"train_loss"``.
    printed : float
    low, high : float
        Between them a figure of ours counts as the same; the printed one lies there too.
    seeds : {"mean", "best"}
        Whether the figure is the mean over the seeds, or the best seed's.
    epoch : {"last", "best"}
        Whether the figure is the last epoch's, or the best epoch's by this very figure.
    """

    quantity: str
    printed: float
    low: float
    high: float
    seeds: Over = "mean"
    epoch: Literal["last", "best"] = "last"

    @model_validator(mode="after")
    def _holds_the_printed(self) -> Self:
        if not self.low <= self.printed <= self.high:
            raise ValueError(f"{self.printed} is printed, which is not within {self.low} to {self.high}")
        return self


class PrintedRow(_Part):
    """A row of a published table.

    Attributes
    ----------
    variant : str
        Name of the study's variant.
    table : str
        Name of the table in which the row is printed.
    label : str
        Label of the row there.
    figures : tuple of Figure
    behaviour : str
        How its training is described: ``"learns"``, ``"oscillates"``, ``"fails"``; empty where nothing is said.
    """

    variant: str
    table: str
    label: str
    figures: tuple[Figure, ...] = Field(min_length=1)
    behaviour: Literal["", "learns", "oscillates", "fails"] = ""


class Order(_Part):
    """A statement that figures rise from one variant to the next.

    Attributes
    ----------
    text : dict of str to str
        The statement, by language.
    quantity : str
        As in `Figure`.
    variants : tuple of str
        The smallest first.
    """

    text: Texts
    quantity: str
    variants: tuple[str, ...] = Field(min_length=2)


class Publication(_Part):
    """A published table.

    Attributes
    ----------
    name : str
        Name for ``glassnet reproduce``.
    title, source, about : dict of str to str
        Its title, where it is printed, and how the settings here follow from its own, by language.
    rows : tuple of PrintedRow
    orders : tuple of Order
    factorial : str or None
        Another study that comes along: all combinations of what the table varies one at a time.
    """

    name: str
    title: Texts
    source: Texts
    about: Texts
    rows: tuple[PrintedRow, ...] = Field(min_length=1)
    orders: tuple[Order, ...] = ()
    factorial: str | None = None


def publication_names() -> list[str]:
    """Return the names of the published tables that come along."""
    ending = ".printed.toml"
    return sorted(file.name.removesuffix(ending) for file in _folder().iterdir() if file.name.endswith(ending))


def load_publication(name: str) -> Publication:
    """Return a published table by name; raises UsageError if there is none of that name."""
    known = publication_names()
    if name not in known:
        raise unknown_name("publication", name, known)
    values = tomllib.loads(_text(f"{name}.printed.toml"))
    found = validate(Publication, {"name": name, **values})
    there = {variant.name for variant in load_published_study(name).variants()}
    for variant in (
        *(row.variant for row in found.rows),
        *(one for order in found.orders for one in order.variants),
    ):
        if variant not in there:
            raise UsageError(name, f"the study has no variant {variant!r}")
    return found


def load_published_study(name: str) -> Study:
    """Return a study that comes along, by the name of its file."""
    text = _text(f"{name}.toml")
    return study_of(tomllib.loads(text), text)


def _folder() -> resources.abc.Traversable:
    return resources.files("glassnet.reproductions") / "published"


def _text(file: str) -> str:
    return (_folder() / file).read_text(encoding="utf-8")
