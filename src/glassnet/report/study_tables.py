"""Tables of a study's report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from urllib.parse import quote

from glassnet.charts.axes import format_known, format_number
from glassnet.charts.tables import Cell, Rows, Table
from glassnet.locales.catalogue import Words
from glassnet.report.setting_tables import setting_text, show_settings
from glassnet.report.study_sentences import WARNING, findings_of, name_verdict
from glassnet.study.analysis_of_variance import Source
from glassnet.study.design import Changes, Study
from glassnet.study.findings import LEVEL
from glassnet.study.likeness import Likeness
from glassnet.study.result_table import FEW_SEEDS, describe_covers, list_values, write_interval, write_number
from glassnet.study.results import Row
from glassnet.study.samples import larger_is_better, value_of
from glassnet.study.statistics import Comparison

#: Letters of a hash that a table shows.
SHORT_HASH = 8

#: How strongly a hash is coloured that is not the base's.
OTHER = -0.35

#: Of what rows have a hash, and what is said where all runs of a seed have it in common, or some have another.
HASHES = {
    "split": ("split_hashes", "same_split", "other_split"),
    "weights": ("weights_hashes", "same_weights", "other_weights"),
    "order": ("order_hashes", "same_order", "other_order"),
    "masks": ("masks_hashes", "same_masks", "other_masks"),
}

#: Heads of the table that says what levels have in common with the base.
LIKENESS_HEADS = ("first_weights", "batches", "masks")


def factor_table(study: Study, words: Words) -> Table:
    """Return the levels of every factor, or the variants of a list, with what they set."""
    rows: Rows = []
    if study.design == "list":
        for name, changes in study.factors[0].levels.items():
            rows.append([Cell(name, bold=not rows), Cell(_setting(changes) or "–", code=bool(changes))])
        return Table(
            words.say("variant_list"), [words.say("variant"), words.say("sets")], rows, text=(0, 1), key="factors"
        )
    for factor in study.factors:
        for label, changes in factor.levels.items():
            first = label == next(iter(factor.levels))
            name = factor.name if first else ""
            rows.append([name, Cell(label, bold=first), Cell(_setting(changes) or "–", code=bool(changes))])
    heads = [words.say(key) for key in ("factor", "level", "sets")]
    return Table(words.say("factors"), heads, rows, text=(0, 1, 2), note=words.say("factors_note"), key="factors")


def _setting(changes: Changes) -> str:
    return "; ".join(f"{key} = {setting_text(value)}" for key, value in changes.items())


def fixed_settings(study: Study, words: Words) -> SimpleNamespace:
    """Return the settings of the base that no variant changes, in tables; see `show_settings`."""
    changed = study.changed_keys() | {"run.seed"}
    if study.splits_by_seed:
        changed.add("data.split_seed")
    return show_settings(study.base, words, changed)


def difference_table(
    comparisons: Sequence[Comparison], measure: str, recommended: str | None, words: Words
) -> Table:
    """Return a row for each variant but the base: its difference to it, and whether that is more than chance."""
    few = all(len(one.seeds) <= FEW_SEEDS for one in comparisons)
    rows: Rows = [
        [
            Cell(one.variant, bold=one.variant == recommended),
            write_number(one.difference, "+"),
            *([list_values(one.values, "+")] if few else []),
            write_interval(one.low, one.high, words, "+"),
            format_known(one.corrected, ".3g"),
            name_verdict(one, measure, words),
        ]
        for one in comparisons
    ]
    heads = [words.say("variant"), words.say("difference"), *([words.say("values_by_seed")] if few else [])]
    heads.append(words.say("interval_of_difference", confidence=100 * (1 - LEVEL)))
    heads += [words.say(key) for key in ("corrected_p", "verdict")]
    better = words.say("above_is_better" if larger_is_better(measure) else "below_is_better")
    covered = describe_covers([(one.variant, one.covers) for one in comparisons], words)
    note = words.join([better, covered], "between_sentences")
    return Table(words.say("differences"), heads, rows, text=(0, len(heads) - 1), note=note, key="differences")


def source_table(sources: Sequence[Source], covers: str, words: Words) -> Table:
    """Return the analysis of variance, a row a source."""
    names = {"seed": words.say("seed"), "residual": words.say("residual")}
    rows: Rows = [
        [
            names.get(source.kind) or " × ".join(source.factors),
            format_number(source.sum_of_squares),
            str(source.degrees) if source.epsilon in (None, 1.0) else f"{source.degrees} × {source.epsilon:.2f}",
            "–" if source.F is None else format_number(source.F),
            format_known(source.p, ".2g"),
            format_known(source.corrected, ".2g"),
            f"{source.share:.1%}",
        ]
        for source in sources
    ]
    keys = ("source", "sum_of_squares", "degrees", "F", "p", "corrected_p", "share_of")
    heads, note = [words.say(key) for key in keys], words.say("anova_about", covers=covers)
    return Table(words.say("anova"), heads, rows, note=note, key="analysis-of-variance")


def sick_table(rows: Sequence[Row], words: Words) -> Table | None:
    """Return the runs with something wrong, a row each: how it ended, the root cause, what to try first."""
    lines: Rows = []
    for row in (one for one in rows if one.sick):
        findings = [finding for finding in findings_of(row, words) if finding.sick]
        titles = words.join(dict.fromkeys(finding.title for finding in findings))
        cause, remedy = (findings[0].cause, findings[0].remedy) if findings else ("", "")
        why = cause or Cell(row.problem, foreign=True)
        run = words.say("with_seed", variant=row.variant, seeds=row.seed)
        lines.append([run, words.name("statuses", row.status), titles or "–", why, remedy or "–"])
    heads = [words.say(key) for key in ("run", "ended", "diagnosis", "cause", "remedy")]
    return Table(words.say("sick_runs"), heads, lines, text=(0, 1, 2, 3, 4), key="sick-runs") if lines else None


def remark_table(rows: Sequence[Row], words: Words) -> Table | None:
    """Return remarks, each with the runs that it is of: what is no illness, and what training warned of."""
    runs: dict[Cell, dict[str, list[str]]] = {}
    for row in rows:
        found = [Cell(one.title) for one in findings_of(row, words) if not one.sick]
        found += [Cell(str(one.cause), foreign=True) for one in row.diagnoses if one.kind == WARNING]
        for cell in found:
            runs.setdefault(cell, {}).setdefault(row.variant, []).append(str(row.seed))
    lines: Rows = [[cell, _which(seeds, words)] for cell, seeds in runs.items()]
    heads = [words.say("remark"), words.say("which_runs")]
    return Table(words.say("remarks"), heads, lines, text=(0, 1), key="remarks") if lines else None


def _which(seeds: Mapping[str, Sequence[str]], words: Words) -> str:
    parts = [
        words.say("with_seeds" if len(some) > 1 else "with_seed", variant=name, seeds=some)
        for name, some in seeds.items()
    ]
    return words.join(parts, "between_items")


def fairness_table(study: Study, fairness: Sequence[Likeness], words: Words) -> Table:
    """Return what the levels of each factor, or the variants of a list, have in common with the base."""
    rows: Rows = [
        [
            _name_levels(study, one, words),
            *(words.name(f"likeness_{what}", getattr(one, what)) for what in ("weights", "batches", "masks")),
        ]
        for one in fairness
    ]
    heads = [words.say(key) for key in ("variant" if study.design == "list" else "factor", *LIKENESS_HEADS)]
    note = words.say("fairness_note")
    return Table(words.say("fairness_table"), heads, rows, text=(0, 1, 2, 3), note=note, key="fairness")


def _name_levels(study: Study, likeness: Likeness, words: Words) -> str:
    """Return the factor's name where it holds of all its levels, else the levels as well."""
    levels = words.join(likeness.levels)
    if study.design == "list":
        return levels
    everywhere = len(likeness.levels) == len(study.levels()[likeness.factor]) - 1
    return likeness.factor if everywhere else f"{likeness.factor}={levels}"


def hash_table(rows: Sequence[Row], kind: str, words: Words) -> Table | None:
    """Return a hash of every run, a row a variant, a column a seed; what is not the base's is coloured.

    The base's rows come first. Where all variants have the same, one row says so. `kind` is one of `HASHES`. None
    is returned where no run has such a hash.
    """
    if not any(getattr(row, kind) for row in rows):
        return None
    seeds = list(dict.fromkeys(row.seed for row in rows))
    hashes: dict[str, dict[int, str]] = {}
    for row in rows:
        hashes.setdefault(row.variant, {})[row.seed] = getattr(row, kind)
    base = next(iter(hashes.values()))
    if all(found == base for found in hashes.values()):
        hashes = {words.say("all_variants"): base}
    lines: Rows = []
    for variant, found in hashes.items():
        cells = []
        for seed in seeds:
            whole = found.get(seed, "")
            other = bool(whole and base.get(seed)) and whole != base[seed]
            cells.append(Cell(whole[:SHORT_HASH] or "–", OTHER * other, code=bool(whole), full=whole))
        lines.append([variant, *cells])
    heads = [words.say("variant"), *(words.say("of_seed", seed=seed) for seed in seeds)]
    return Table(words.say(HASHES[kind][0]), heads, lines, key=f"hashes-{kind}")


def run_table(rows: Sequence[Row], measure: str, words: Words) -> Table:
    """Return a row for each run, with a link to its folder."""
    lines: Rows = [
        [
            row.variant,
            str(row.seed),
            words.name("statuses", row.status),
            write_number(value_of(row, measure)),
            f"{row.seconds:.3g}",
            Cell(row.folder, code=True, address=f"{quote(row.folder)}/") if row.folder else "–",
        ]
        for row in rows
    ]
    heads = [words.say("variant"), words.say("seed"), words.say("ended"), words.measure(measure)]
    heads += [words.say("epoch_seconds"), words.say("run_folder")]
    return Table(words.say("all_runs"), heads, lines, text=(0, 2, 5), key="runs")
