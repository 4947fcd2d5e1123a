"""Tables below the answers to the open questions: the measured losses that they follow from."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from glassnet.charts.tables import Cell, Rows, Table
from glassnet.locales.catalogue import Words
from glassnet.reproductions.experiments import ADAM_FORMS, CROSSED, CROSSED_EPOCHS, OUTPUTS
from glassnet.reproductions.facts import PRINTED_CONSTANT, Facts
from glassnet.reproductions.outcomes import LAST
from glassnet.reproductions.publication import Figure, load_publication
from glassnet.study.results import Row
from glassnet.training.health.vitals import FLAT

#: Images that a printed loss of Adam is of, and the variants of the study that repeat it.
ADAM_IMAGES, ADAM_VARIANTS = 6000, {"Adam": "written", "Adam / 784": "divided"}


def span(values: Sequence[float], form: str, words: Words) -> str:
    """Return the range of values in a format: ``"1.5 to 2.0"``; once where both ends read the same.

    Examples
    --------
    >>> span([1500.0, 900.0], ",.1f", Words("en")), span([], ".3f", Words("en"))
    ('900.0 to 1,500.0', '–')
    """
    if not values:
        return "–"
    low, high = format(min(values), form), format(max(values), form)
    return low if low == high else words.say("low_to_high", low=low, high=high)


def losses_of(runs: Sequence[Row]) -> list[float]:
    """Return the losses of plain runs."""
    return [row.measures["train_loss"] for row in runs]


def ends_at_printed(row: Row) -> bool:
    """Whether a plain run ends with the loss that is printed with ReLU, to its digit."""
    return round(row.measures["train_loss"], 1) == PRINTED_CONSTANT


def output_table(found: Facts, words: Words) -> Table:
    """Return what networks end at whose output can stay at 1, and how many of them at the printed loss."""
    rows: Rows = []
    for key in OUTPUTS:
        runs = found.plain[key]
        at = sum(map(ends_at_printed, runs))
        losses = span(losses_of(runs), ",.1f", words)
        rows.append([str(key[1]), str(key[2]), losses, words.say("n_of", n=at, of=len(runs))])
    heads = [words.say(key) for key in ("hidden_layers", "output_layer", "loss_range")]
    heads.append(words.say("at_printed", printed=PRINTED_CONSTANT))
    return Table(
        words.say("output_table"), heads, rows, text=(0, 1), note=words.say("output_note", n=LAST), key="outputs"
    )


def crossed_table(found: Facts, words: Words) -> Table:
    """Return where tanh ends by its two starts and its step, and how many runs beat the best constant answer."""
    rows: Rows = []
    for key in CROSSED:
        runs = found.plain[key]
        flat = [
            f"{statistics.fmean(row.measures[name] for row in runs):.0%}"
            for name in ("flat_hidden", "flat_output")
        ]
        starts = [f"±{factor:g}" for factor in key[1:3]]
        learned = words.say("n_of", n=sum(learns(row, found) for row in runs), of=len(runs))
        rows.append([*starts, f"{key[3]:g}", span(losses_of(runs), ",.1f", words), learned, *flat])
    heads = [words.say(key) for key in ("hidden_layers", "output_layer", "measures.learning_rate", "loss_range")]
    heads += [words.say(key) for key in ("runs_that_learn", "flat_hidden", "flat_output")]
    note = words.say("crossed_note", n=LAST, epochs=CROSSED_EPOCHS, best=found.constant_loss, share=FLAT)
    return Table(words.say("crossed_table"), heads, rows, text=(), note=note, key="starts")


def learns(row: Row, found: Facts) -> bool:
    """Whether a plain run ends below what the best constant answer costs."""
    return row.measures["train_loss"] < found.constant_loss


class AdamForm(NamedTuple):
    """A form of the report's Adam: its name, and the losses of 6,000 images and the accuracies that it ends at."""

    name: str
    epochs: int
    losses: list[float]
    accuracies: list[float]

    def meets(self, figures: Sequence[Figure]) -> bool:
        """Whether every run counts as the same in each printed figure."""
        pairs = zip((self.losses, self.accuracies), figures, strict=True)
        return all(values and one.low <= min(values) <= max(values) <= one.high for values, one in pairs)

    def distance(self, figures: Sequence[Figure]) -> float:
        """Return how far its means are from what is printed: by which factors, as a sum of logarithms."""
        if not self.losses or not self.accuracies:
            return math.inf
        means = statistics.fmean(self.losses), statistics.fmean(self.accuracies)
        pairs = zip(means, figures, strict=True)
        return sum(abs(math.log(max(mean, 1e-9) / one.printed)) for mean, one in pairs)


def printed_adam() -> tuple[Figure, ...]:
    """Return the printed loss and accuracy of Adam, with the bounds that were set for them."""
    [row] = [row for row in load_publication("seed-report").rows if row.variant == "Adam"]
    return row.figures


def adam_forms(found: Facts) -> list[AdamForm]:
    """Return all forms that were tried: those of the study, then those of the plain runs."""
    forms = [
        AdamForm(form, 1000, list(found.typical[name].losses), list(found.typical[name].accuracies))
        for name, form in ADAM_VARIANTS.items()
    ]
    for key, setting in ADAM_FORMS.items():
        runs, changes = found.plain[key], setting.changes
        scale = ADAM_IMAGES / changes["training.samples_per_epoch"]
        losses = [scale * loss for loss in losses_of(runs)]
        accuracies = [row.measures["test_accuracy"] for row in runs]
        forms.append(AdamForm(str(key[1]), changes["training.epochs"], losses, accuracies))
    return forms


def nearest_form(forms: Sequence[AdamForm], figures: Sequence[Figure]) -> AdamForm:
    """Return the form that comes nearest to what is printed; one that meets it before all others."""
    return min(forms, key=lambda one: (not one.meets(figures), one.distance(figures)))


def adam_table(found: Facts, words: Words) -> Table:
    """Return what each form of Adam ends at; bold is what comes nearest."""
    figures, forms = printed_adam(), adam_forms(found)
    nearest = nearest_form(forms, figures)
    rows: Rows = [[words.say("printed"), "1,000", f"{figures[0].printed:,.1f}", f"{figures[1].printed:.4f}"]]
    for one in forms:
        texts = [span(one.losses, ",.1f", words), span(one.accuracies, ".4f", words)]
        cells = [Cell(text, bold=one is nearest) for text in texts]
        rows.append([words.name("adam_forms", one.name), f"{one.epochs:,}", *cells])
    heads = [words.say("adam_form"), words.say("epochs"), words.say("loss_of_images", n=ADAM_IMAGES)]
    heads.append(words.say("test_of", measure=words.measure("accuracy")))
    return Table(words.say("adam_table"), heads, rows, note=words.say("adam_note", n=LAST), key="forms-of-adam")
