"""The folder to hand in: every figure as PDF, SVG and PNG, every table as CSV and LaTeX, and the document."""

from __future__ import annotations

import math
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.assignment.content import Content, gather_content, name_levels, name_plan
from glassnet.assignment.markup import FIGURES, TABLES, escape_text, split_blocks, write_latex_body, write_markdown
from glassnet.assignment.work import FOUND, REGISTERED, Assignment
from glassnet.charts.axes import format_number, percent_form
from glassnet.charts.painting import FORMATS, saying_missing_letters
from glassnet.charts.pictures import flat_shape
from glassnet.data.registry import DATASETS
from glassnet.errors import FileError, UsageError
from glassnet.locales.catalogue import Words
from glassnet.report.rendering import markdown_code
from glassnet.report.study_sentences import describe_interactions, describe_verdict, explain_results
from glassnet.runtime.environment import environment
from glassnet.runtime.files import write_bytes
from glassnet.runtime.pages import page_environment
from glassnet.study.design import BASE
from glassnet.study.findings import SPLIT_BY_SEED

if TYPE_CHECKING:
    from jinja2 import Environment

DOCUMENT = "document"

#: How far chance moves a share, in standard deviations, in 95 % of the cases.
NORMAL = 1.96

#: What makes a PDF of the LaTeX, the first that is there.
TEX = ("xelatex", "lualatex")

#: Seconds that a converter may take.
PATIENCE = 180


@dataclass
class Written:
    """The files of the folder, and by name of a file why it was left out."""

    files: list[Path] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def check_folder(folder: Path, overwrite: bool) -> None:
    """Refuse a folder that holds something else, or a document, unless it may be written again."""
    if folder.name in ("", ".."):
        raise UsageError("out", f"must name a folder of its own, as in handin, got {str(folder)!r}")
    try:
        there = {path.name for path in folder.iterdir()} if folder.exists() else set()
    except OSError as error:
        raise FileError(
            folder, f"is no folder that can be used: {error.strerror}; choose another with --out"
        ) from None
    if any(not name.startswith((FIGURES, TABLES, f"{DOCUMENT}.", ".")) for name in there):
        raise FileError(folder, "already holds other files; choose another folder with --out")
    if f"{DOCUMENT}.md" in there and not overwrite:
        raise FileError(
            folder,
            f"already holds a {DOCUMENT}.md; choose another with --out, or add --overwrite to write it anew",
        )


def write_handin(
    done: Assignment, folder: Path, words: Words, command: str, say: Callable[[str], None]
) -> Written:
    """Write the folder, each file whole or not at all, and the document last."""
    content, written = gather_content(done, words), Written()
    try:
        for part in (FIGURES, TABLES):
            (folder / part).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(folder, f"cannot be made: {error.strerror}; choose another folder with --out") from None
    say(f"drawing {len(content.figures)} figures, each as {', '.join(FORMATS)}")
    with saying_missing_letters():
        for key, figure in content.figures.items():
            for kind in FORMATS:
                _save(folder / FIGURES / f"{key}.{kind}", figure.draw(kind), written)
    for key, table in content.tables.items():
        _save(folder / TABLES / f"{key}.csv", table.to_csv().encode(), written)
        _save(folder / TABLES / f"{key}.tex", table.to_latex().encode(), written)
    facts = gather_facts(done, content, words, command)
    values: dict[str, Any] = {"f": facts, "explained": content.explained, "tables": content.tables}
    text = _environment(escape_text).get_template(f"{words.language}.md.jinja").render(**values)
    blocks = split_blocks(text)
    title, body = write_latex_body(blocks, content.figures)
    latex = _environment(str).get_template("document.tex.jinja").render(f=facts, title=title, body=body)
    _save(folder / f"{DOCUMENT}.tex", latex.encode(), written)
    plain = write_markdown(blocks, content.figures, content.tables, kind="png", captions=False)
    convert(folder, plain, written, say)
    markdown = write_markdown(blocks, content.figures, content.tables)
    _save(folder / f"{DOCUMENT}.md", markdown.encode(), written)
    return written


def _save(path: Path, content: bytes, written: Written) -> None:
    write_bytes(path, content)
    written.files.append(path)


def _environment(write: Callable[[str], str]) -> Environment:
    from markupsafe import Markup

    found = page_environment("glassnet.assignment", write)
    found.filters["code"] = lambda text: Markup(markdown_code(text))
    return found


def gather_facts(done: Assignment, content: Content, words: Words, command: str) -> SimpleNamespace:
    """Gather what the document's text says of this assignment."""
    data, found, best, study = done.data, done.found, done.best, done.found.study
    test = best.errors.evaluation
    assert test is not None  # such a plan is left out
    form = percent_form(words)
    low, high = (format_number(end, form) for end in test.intervals["accuracy"])
    judged = len(data.validation.y)
    means = [one.mean for one in found.summaries if one.mean is not None]
    reached = max(means, default=math.nan)
    plans = {one.origin: one for one in done.plans}
    inputs, source = data.encoded.train.X, study.base.data.dataset
    training = study.base.training
    counts = {"training": len(data.train.y), "validation": judged, "test": len(data.test.y)}
    return SimpleNamespace(
        chinese=words.language == "zh",
        name=DATASETS[source].title.partition(":")[0] if source in DATASETS else data.name,
        rows=words.say("assignment.rows", **counts),
        shape=" × ".join(map(str, flat_shape(data.image_shape or ()))),
        inputs=data.n_inputs,
        from_0_to_1=inputs.dtype == np.uint8 or (inputs.min() >= 0 and inputs.max() <= 1),
        classes=list(data.class_names or ()),
        binary=best.run.network.layers[-1] == 1,
        base_layers="-".join(map(str, study.base.network.layers or ())),
        base=name_levels(found, BASE),
        chart_note=content.chart_note,
        graph_difference=_write_scientific(content.explained.agreement.graph_difference),
        numeric_difference=_write_scientific(content.explained.agreement.numeric_difference),
        variants=len(study.variants()),
        seeds=list(map(str, study.seeds)),
        runs=len(found.rows),
        seconds=words.duration(sum(row.seconds for row in found.rows)),
        epochs=words.say("n_epochs", n=training.epochs),
        epoch_rows=f"{training.samples_per_epoch:,}",
        batch=training.batch_size,
        splits=found.split == SPLIT_BY_SEED,
        judged=f"{judged:,}",
        reached=f"{reached:.3f}",
        by_chance=f"{NORMAL * math.sqrt(reached * (1 - reached) / judged):.3f}",
        verdict=describe_verdict(found, words),
        interactions=describe_interactions(found, words),
        results_about=explain_results(found, words),
        figures=content.figures,
        study_figures=content.of_study,
        plan_figures=content.of_plan,
        found=FOUND in plans,
        found_epochs=words.say("n_epochs", n=len(plans[FOUND].run.history)) if FOUND in plans else "",
        registered=plans[REGISTERED].name if REGISTERED in plans else "",
        best=name_plan(best, words),
        best_validation="" if best.validation is None else format_number(best.validation, form),
        tested=f"{test.rows:,}",
        wrong=f"{best.errors.wrong:,}",
        accuracy=format_number(test.measures["accuracy"], form),
        low=low,
        high=high,
        command=command,
        study_folder=str(found.folder),
        best_folder=str(best.run.folder),
        environment=environment(),
    )


def _write_scientific(value: float) -> str:
    """Return a small number as a formula in LaTeX, and 0 as it stands."""
    digit, _, exponent = f"{value:.0e}".partition("e")
    return rf"${digit} \cdot 10^{{{int(exponent)}}}$" if value else "0"


def convert(folder: Path, markdown: str, written: Written, say: Callable[[str], None]) -> None:
    """Write the document for a word processor and as PDF, where what it takes is installed; else say why not.

    One of before is taken away then: it would be of other runs, or in another language.
    """
    targets = {
        "docx": ("pandoc", _run_pandoc, markdown),
        "pdf": (next(filter(shutil.which, TEX), "xelatex"), _run_tex, ""),
    }
    for ending, (program, run, text) in targets.items():
        name = f"{DOCUMENT}.{ending}"
        (folder / name).unlink(missing_ok=True)
        if shutil.which(program) is None:
            written.left_out[name] = f"{program} is not installed"
            continue
        say(f"making {name} with {program}")
        with tempfile.TemporaryDirectory() as scratch:
            target = Path(scratch) / name
            try:
                run(program, folder, Path(scratch), text)
                _save(folder / name, target.read_bytes(), written)
            except (OSError, subprocess.SubprocessError) as error:
                written.left_out[name] = f"{program} failed: {' '.join(str(error).split())[:200]}"


def _run_pandoc(program: str, folder: Path, scratch: Path, text: str) -> None:
    command = [program, "-f", "markdown", "-o", str(scratch / f"{DOCUMENT}.docx")]
    _call(command, folder, text)


def _run_tex(program: str, folder: Path, scratch: Path, text: str) -> None:
    """Compile twice, as LaTeX asks for; what it leaves beside the PDF stays in the scratch folder."""
    for name in (FIGURES, TABLES, f"{DOCUMENT}.tex"):
        (scratch / name).symlink_to((folder / name).resolve())
    for _ in range(2):
        _call(
            [program, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", f"{DOCUMENT}.tex"],
            scratch,
            "",
        )


def _call(command: list[str], folder: Path, text: str) -> None:
    subprocess.run(command, cwd=folder, input=text.encode(), capture_output=True, check=True, timeout=PATIENCE)
