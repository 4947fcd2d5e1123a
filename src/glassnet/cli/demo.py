"""``glassnet demo``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from glassnet.cli.language import LanguageOption, choose_language
from glassnet.cli.output import DataDirOption, JsonOption
from glassnet.locales.catalogue import Words
from glassnet.runtime.terminal import pad, print_lines, tell

if TYPE_CHECKING:
    from glassnet.data.dataset import Dataset
    from glassnet.study.design import Study
    from glassnet.study.results import Row
    from glassnet.training.config import RunConfig

#: Epochs of the recommended plan, by data: those of the study only tell the variants apart.
EPOCHS = {"fashion-mnist": 12, "digits": 60}

#: Pictures of each class.
PICTURES = 12


def demo(lang: LanguageOption = None, data_dir: DataDirOption = None, as_json: JsonOption = False) -> None:
    """Do the whole job in about a minute.

    That is: look at the data, compare, recommend, train the best plan, report. On Fashion-MNIST, or on digits
    where it cannot be had. Everything goes into a new folder in demos/.

    \b
    Examples:
      glassnet demo
      glassnet demo --lang zh
      GLASSNET_DATA=~/data glassnet demo
    """
    from glassnet.charts.painting import save_figure
    from glassnet.cli.run_output import SessionOptions
    from glassnet.cli.train import train_one
    from glassnet.report.sample_grid import sample_grid
    from glassnet.reproductions.publication import load_published_study
    from glassnet.study.recommendation import recommend
    from glassnet.training.run_folder import default_folder

    language = choose_language(lang)
    words = Words(language)
    say = (lambda *lines: None) if as_json else print_lines
    data = _load_data(data_dir)
    study = load_published_study(f"demo-{data.name}")
    with default_folder(data.name, study.base.network.layers or [], "demos") as folder:
        say(words.say("demo.data"))
        picture = folder / "data.png"
        save_figure(sample_grid(data, PICTURES, words), picture)
        say(words.say("demo.pictures", n=PICTURES, data=data.name, file=picture))
        say("", words.say("demo.study"))
        rows = _run_study(study, folder / "study", data, data_dir, words, as_json)
        chosen = recommend(rows, study.measure, study.levels())
        before, config = _lengthen(study, chosen.variant)
        say("", words.say("demo.plan", variant=chosen.variant))
        say(_describe_changes(before, config, words))
        also = {"picture": str(picture), "study": str(folder / "study"), "recommended": chosen.variant}
        session = SessionOptions(as_json=as_json, run_dir=folder / "plan", language=language, also=also)
        run = train_one(config, session, data=data)
    look, then, below = (pad(text, 10) for text in (words.say("demo.look"), words.say("demo.next"), ""))
    say("", f"{look}{folder / 'study' / 'report.html'}", f"{below}{folder / 'plan' / 'report.html'}")
    say(f"{then}glassnet evaluate {run.folder}", f"{below}glassnet train --help")


def _run_study(
    study: Study, folder: Path, data: Dataset, data_dir: Path | None, words: Words, as_json: bool
) -> list[Row]:
    """Run the study, write its report, and print what it found; the test rows stay closed."""
    from glassnet.cli.report import StudyWritten
    from glassnet.cli.study import explaining_interrupt, print_study, resume_command
    from glassnet.report.study_page import write_study_report
    from glassnet.study.findings import gather_findings
    from glassnet.study.runner import run_study
    from glassnet.study.study_folder import STUDY_FILE

    with explaining_interrupt(resume_command(["study", str(folder / STUDY_FILE)], folder, data_dir=data_dir)):
        rows = run_study(study, folder, data_dir=data_dir)
    found = gather_findings(study, folder, rows, lambda config: data)
    page = write_study_report(found, lambda config: data, language=words.language)
    if not as_json:
        print_study(found, StudyWritten(page, None), as_json, words)
    return rows


def _lengthen(study: Study, name: str) -> tuple[RunConfig, RunConfig]:
    """Return the configuration of a variant as the study has it, and for more epochs with all rows in each."""
    from glassnet.assignment.plans import lengthen

    config = next(variant.config for variant in study.variants() if variant.name == name)
    return config, lengthen(config, EPOCHS[config.data.dataset])


def _describe_changes(before: RunConfig, after: RunConfig, words: Words) -> str:
    """Say how the training of the plan differs from that of the study: its figures are not those of the study."""
    pairs = {
        name: (getattr(before.training, name), getattr(after.training, name))
        for name in ("epochs", "schedule", "samples_per_epoch")
    }
    rest = words.say("demo.all_rows")
    parts = [
        words.say("demo.change", name=name, new=rest if new is None else new, old=rest if old is None else old)
        for name, (old, new) in pairs.items()
        if old != new
    ]
    return words.say("demo.changes", parts=parts)


def _load_data(data_dir: Path | None) -> Dataset:
    """Load Fashion-MNIST, or digits where it is neither here nor to be downloaded, and say so."""
    from glassnet.data.registry import load_dataset
    from glassnet.errors import DataError

    try:
        return load_dataset("fashion-mnist", data_dir)
    except DataError as error:
        tell(f"{error}. Going on with digits, which come with scikit-learn.")
        return load_dataset("digits")
