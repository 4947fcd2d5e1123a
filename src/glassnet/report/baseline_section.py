"""A network beside simple models, as a part of a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from shlex import join
from types import SimpleNamespace

from glassnet.charts.axes import format_number, percent_form
from glassnet.charts.tables import NONE, Cell, Rows, Table
from glassnet.data.dataset import Dataset
from glassnet.data.registry import DATASETS
from glassnet.data.user_data import looks_like_a_path
from glassnet.locales.catalogue import Words
from glassnet.report.run_curves import show
from glassnet.training.inspection.baselines import (
    STEPS,
    Baseline,
    Baselines,
    SplitName,
    add_network,
    fit_baselines,
    name_model,
)
from glassnet.training.metrics import Predictions
from glassnet.training.run_folder import RunFolder


def show_baselines(
    folder: RunFolder,
    data: Dataset,
    answers: Mapping[SplitName, Predictions],
    words: Words,
    *,
    tell: Callable[[str], None] | None = None,
) -> SimpleNamespace:
    """Put a run's network beside simple models: those in its folder, or else new ones, after `tell` was told so.

    Without it none are trained, and it is said how to have them. Raises FileError if they cannot be kept.
    """
    section = SimpleNamespace(notes=[], command="", drawing=None, table=None)
    if not all(name in answers for name in ("validation", "test") if len(getattr(data, name).y)):
        section.notes = [words.say("result_none")]
        return section
    found = folder.baselines()
    if (found is None or not found.fits(data)) and tell is not None and answers:
        tell(words.say("terminal.simple_models"))
        found = fit_baselines(data)
        folder.save_baselines(found)
    if found is None or not found.fits(data):
        loadable = data.name in DATASETS or looks_like_a_path(folder.config().data.dataset)
        section.notes = [words.say("baselines_later" if loadable else "baselines_program")]
        section.command = join(["glassnet", "report", str(folder.path)]) if loadable else ""
        return section
    both = add_network(found, answers)
    chart = both.chart(words)
    section.notes = _describe(both, words)
    section.drawing = show(chart, words)
    section.table = _tabulate(both, words)
    return section


def _describe(found: Baselines, words: Words) -> list[str]:
    """Say what is to be known of the models, the comparison first."""
    own, *others = found.models
    split = found.splits[-1]
    best = max(others, key=lambda model: model.scores[split].measures[found.measure])
    form = percent_form(words) if found.measure == "accuracy" else "number"
    figures = {
        name: format_number(model.scores[split].measures[found.measure], form)
        for name, model in (("own", own), ("other", best))
    }
    rows = {"rows": own.scores[split].rows, "split": words.say(f"{split}_rows"), "measure": found.measure}
    said = [words.say("baselines_best", **rows, **figures, name=_name(best, found, words))]
    said.append(words.say("baselines_about", constant=name_model("constant", found.measure, words)))
    said += [words.say("baselines_labels")] if found.labels > 1 else []
    drawn = [model for model in others if model.rows < found.train_rows]
    if drawn:
        names = [_name(model, found, words) for model in drawn]
        said.append(words.say("baselines_drawn", names=names, rows=drawn[0].rows, all=found.train_rows))
    said += [words.say("baselines_left_out")] if found.left_out else []
    said += [words.say("baselines_stopped", n=STEPS)] if not all(model.converged for model in others) else []
    time = words.duration(sum(model.seconds for model in others))
    return [*said, words.say("baselines_time", time=time)]


def _name(model: Baseline, found: Baselines, words: Words) -> str:
    return name_model(model.kind, found.measure, words)


def _tabulate(found: Baselines, words: Words) -> Table:
    """Return all measures of all models."""
    titles: dict[SplitName, str] = {"validation": "validation_of", "test": "test_of"}
    names = [(split, name) for split in found.splits for name in found.models[-1].scores[split].measures]
    measures = [words.say(titles[split], measure=words.measure(name)) for split, name in names]
    header = [words.say("model"), *measures, words.say("train_rows"), "scikit-learn"]
    rows: Rows = []
    for model in found.models:
        own = model.kind == "network"
        values = [_write(model, split, name, words) for split, name in names]
        kind = Cell(_name(model, found, words), bold=own)
        rows.append([kind, *values, f"{model.rows:,}", Cell(model.name, code=True) if model.name else NONE])
    return Table(words.say("baselines"), header, rows, text=(0, len(header) - 1), key="baselines")


def _write(model: Baseline, split: SplitName, name: str, words: Words) -> Cell:
    value = model.scores[split].measures.get(name)
    form = percent_form(words) if name == "accuracy" else "number"
    return Cell(
        NONE if value is None else format_number(round(value, 6) + 0.0, form), bold=model.kind == "network"
    )
