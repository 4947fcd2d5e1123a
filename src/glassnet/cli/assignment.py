"""``glassnet assignment``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassnet.cli.language import LanguageOption, choose_language
from glassnet.cli.output import DataDirOption, JsonOption, QuietOption, print_facts, print_json, print_remarks
from glassnet.cli.study import WorkersOption, explaining_interrupt, resume_command
from glassnet.locales.catalogue import Words
from glassnet.runtime.terminal import print_lines, tell

if TYPE_CHECKING:
    from glassnet.assignment.handin import Written
    from glassnet.assignment.work import Assignment, TrainedPlan


def assignment(
    dataset: Annotated[
        str,
        typer.Argument(
            help="Pictures with a class each: a name from glassnet data list, or a path.", metavar="DATASET"
        ),
    ] = "fashion-mnist",
    out: Annotated[Path, typer.Option(help="Folder to hand in; its runs are kept beside it, in OUT-runs.")] = Path(
        "handin"
    ),
    plan: Annotated[
        str | None,
        typer.Option(
            help="Registered plan that is trained beside what the study finds.",
            metavar="NAME",
            show_default="fast, else best, where there is one",
        ),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(help="Seeds of the study.", metavar="N", min=1, show_default="5")
    ] = None,
    compare_speed: Annotated[
        bool, typer.Option("--compare-speed", help="Also measure an epoch beside scikit-learn's.")
    ] = False,
    workers: WorkersOption = None,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite", help="Write the document anew if it is there; what you changed in it is lost."
        ),
    ] = False,
    lang: LanguageOption = None,
    data_dir: DataDirOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Do a whole assignment on neural networks, and write a folder to hand in.

    It explains backpropagation on a network of 3, 2 and 1 units; compares networks, activations and optimizers;
    trains the best plan; and writes all of it down, with every figure as PDF, SVG and PNG, every table as CSV and
    LaTeX, and a document in Markdown and LaTeX. Word and PDF come with it where pandoc and TeX are installed. The
    same command goes on where it was stopped.

    \b
    Examples:
      glassnet assignment
      glassnet assignment --lang zh
      glassnet assignment digits --out digits-handin
      glassnet assignment bloodmnist --seeds 3 --compare-speed
      glassnet assignment fashion-mnist --plan best --overwrite --json
    """
    from glassnet.assignment.handin import check_folder, write_handin
    from glassnet.assignment.plans import check_assignable, registered_plan
    from glassnet.assignment.work import Task, do_assignment
    from glassnet.data.registry import load_dataset

    words = Words(choose_language(lang))
    check_folder(out, overwrite)
    data = load_dataset(dataset, data_dir)
    check_assignable(data)
    registered_plan(dataset, plan)  # one that is unknown is refused before the work
    print_remarks(data)
    command = ["assignment", dataset, "--out", str(out)]
    given: dict[str, Any] = {"plan": plan, "seeds": seeds, "lang": lang}
    command += [part for name, value in given.items() if value is not None for part in (f"--{name}", str(value))]
    command += ["--compare-speed"] if compare_speed else []
    once = resume_command(command, None, workers, data_dir)
    again = f"{once} --overwrite" if overwrite else once
    task = Task(
        dataset, out.with_name(f"{out.name}-runs"), seeds, plan, compare_speed, workers, data_dir, not quiet
    )
    say = (lambda message: None) if quiet else tell
    with explaining_interrupt(again):
        done = do_assignment(task, data)
        written = write_handin(done, out, words, once, say)
    if as_json:
        print_json(_record(done, written, task.folder))
    else:
        _print_done(done, written, out, task.folder, words)


def _print_done(done: Assignment, written: Written, out: Path, runs: Path, words: Words) -> None:
    """Print what was found, where it stands, and what was left out."""
    from glassnet.assignment.content import plan_table
    from glassnet.cli.output import print_table
    from glassnet.report.study_sentences import describe_verdict

    for sentence in describe_verdict(done.found, words):
        print_lines(sentence)
    table = plan_table(done.plans, done.best, words)
    print_lines("", table.caption)
    print_table(table.header, [[cell.text for cell in row] for row in table.cells], text=table.text)
    print_lines()
    documents = sorted(path for path in written.files if path.parent == out)
    facts = [(words.say("assignment.document"), words.join(map(str, documents)))]
    facts += [(words.say("assignment.left_out"), f"{name}: {why}") for name, why in written.left_out.items()]
    folder = words.say("terminal.n_files", folder=out, n=len(written.files))
    facts += [(words.say("terminal.folder"), folder), (words.say("assignment.runs"), str(runs))]
    print_facts(facts)


def _record(done: Assignment, written: Written, runs: Path) -> dict[str, Any]:
    """Return what was done as plain values, for JSON."""
    from glassnet.report.study_sentences import describe_verdict
    from glassnet.training.health.diagnosis import in_json

    found = done.found
    return {
        "dataset": done.data.name,
        "files": list(map(str, written.files)),
        "left_out": written.left_out,
        "runs": str(runs),
        "study": {
            "folder": str(found.folder),
            "measure": found.study.measure,
            "seeds": list(found.study.seeds),
            "variants": in_json(found.summaries),
            "verdict": describe_verdict(found, Words("en")),
            "recommended": None if found.recommendation is None else found.recommendation.variant,
        },
        "plans": [_plan_record(one) for one in done.plans],
        "best": done.best.name,
        "speed": in_json(done.speeds),
    }


def _plan_record(plan: TrainedPlan) -> dict[str, Any]:
    test = plan.errors.evaluation
    return {
        "name": plan.name,
        "origin": plan.origin,
        "run_dir": str(plan.run.folder),
        "layers": list(plan.run.network.layers),
        "epochs": len(plan.run.history),
        "seconds": round(plan.run.history.seconds, 3),
        "validation_accuracy": plan.validation,
        "test_measures": test.measures if test else {},
        "test_intervals": test.intervals if test else {},
    }
