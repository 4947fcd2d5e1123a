"""The curves of a study: the right runs, few enough on a chart, a band over the seeds."""

from dataclasses import replace

import pytest
from tests.study.studies import listed, small

from glassnet.locales.catalogue import Words
from glassnet.report.study_curves import MOST_CURVES, MOST_DRAWN, MOST_EPOCHS, study_curves
from glassnet.study.results import Row
from glassnet.training.history import EpochRecord, History

WORDS = Words("en")


def recorded(folder, losses, auc=None):
    history = History()
    for epoch, loss in enumerate(losses, start=1):
        measures = {} if auc is None else {"validation_auc": auc}
        history.append(EpochRecord(epoch, loss, 0.5, 2 * loss, 0.25 + epoch / 100, 0.1, 1.0, 1, measures=measures))
    folder.mkdir(parents=True)
    (folder / "history.csv").write_text(history.to_csv())


def rows_of(study, folder, losses, status=None, **options):
    """Rows of all variants and seeds; losses is a function of both's numbers."""
    rows = []
    for number, variant in enumerate(study.variants()):
        for seed in study.seeds:
            place = f"runs/{number}-{seed}"
            recorded(folder / place, losses(number, seed), **options)
            ended = (status or {}).get((variant.name, seed), "finished")
            rows.append(Row(variant.name, variant.levels, seed, ended, {}, folder=place))
    return rows


def labels(drawing):
    return [stroke.label for stroke in drawing.strokes]


def test_a_line_is_the_mean_and_its_band_the_seeds(tmp_path):
    study = small(seeds=2)
    rows = rows_of(study, tmp_path, lambda variant, seed: [0.5 + variant, 0.25 + variant + seed / 8])
    (group,), notes = study_curves(study, rows, tmp_path, "base", WORDS)
    assert group.heading == ""
    assert [drawing.chart.title for drawing, _ in group.drawings] == [
        "Training loss",
        "Validation loss",
        "Validation accuracy",
    ]
    training, about = group.drawings[0]
    assert labels(training) == ["base", "optimizer=sgd(0.1)", "activation=tanh"]
    assert [point[2:] for point in training.points["curves"][1]["points"]] == [
        ["1", "1.5 (1.5 … 1.5)"],
        ["2", "1.312 (1.25 … 1.375)"],
    ]
    assert about.startswith("Training loss over epoch: base from 0.5 to 0.3125, optimizer")
    assert all(stroke.band for stroke in training.strokes)
    assert len(notes) == 1


def test_runs_that_did_not_finish_are_left_out_and_said(tmp_path):
    study = small(seeds=2)
    status = {("base", 1): "diverged", ("activation=tanh", 0): "diverged", ("activation=tanh", 1): "failed"}
    rows = rows_of(study, tmp_path, lambda variant, seed: [1e20] if seed else [0.5, 0.25], status)
    (group,), notes = study_curves(study, rows, tmp_path, None, WORDS)
    training = group.drawings[0][0]
    assert labels(training) == ["base", "optimizer=sgd(0.1)"]
    assert [point[3] for point in training.points["curves"][0]["points"]] == ["0.5", "0.25"]
    assert notes[1:] == ["No run finished of “activation=tanh”, so there are no curves of it."]


def test_a_folder_that_is_gone_costs_a_curve_and_no_report(tmp_path):
    study = small(seeds=1)
    rows = rows_of(study, tmp_path, lambda variant, seed: [0.5])
    for row in rows:
        (tmp_path / row.folder / "history.csv").unlink()
    groups, notes = study_curves(study, rows, tmp_path, None, WORDS)
    assert groups == []
    assert notes == [
        "No run finished of “base”, “optimizer=sgd(0.1)” and “activation=tanh”, so there are no curves of it."
    ]


def test_the_measure_that_decides_has_a_chart(tmp_path):
    study = small(seeds=1, measure="validation_auc")
    rows = rows_of(study, tmp_path, lambda variant, seed: [0.5, 0.4], auc=0.75)
    (group,), _ = study_curves(study, rows, tmp_path, "base", WORDS)
    assert [drawing.chart.title for drawing, _ in group.drawings][3:] == ["Validation AUC"]


RATES = [f"sgd({rate})" for rate in (0.1, 0.2, 0.3, 0.4)]
MANY = {
    "optimizer": {"levels": ["adam", *RATES]},
    "activation": {"levels": ["relu", "tanh", "sigmoid", "silu"]},
    "dropout": {"levels": [0.2, 0.0]},
}


@pytest.mark.parametrize("design", ["one at a time", "factorial"])
def test_of_many_variants_each_factor_has_its_charts(tmp_path, design):
    study = small(seeds=1, design=design, factors=MANY)
    rows = rows_of(study, tmp_path, lambda variant, seed: [0.5])
    best = "optimizer=sgd(0.4)" if design == "one at a time" else "optimizer=sgd(0.4), activation=tanh"
    groups, _ = study_curves(study, rows, tmp_path, best, WORDS)
    names = {group.heading: labels(group.drawings[0][0]) for group in groups}
    alone = {
        "By factor: optimizer, the others as in the base": ["adam (base)", *RATES],
        "By factor: activation, the others as in the base": ["relu (base)", "tanh", "sigmoid", "silu"],
        "By factor: dropout, the others as in the base": ["0.2 (base)", "0.0"],
    }
    first = {"The base and the best": ["base", best]} if design == "factorial" else {}
    assert names == first | alone
    keys = [drawing.chart.key for group in groups for drawing, _ in group.drawings]
    assert len(set(keys)) == len(keys)


def test_a_long_list_is_drawn_in_parts_with_the_base_in_each(tmp_path):
    names = [f"v{number}" for number in range(9)]
    study = listed({name: {"training.batch_size": 1 + n} for n, name in enumerate(names)}, seeds=1)
    rows = rows_of(study, tmp_path, lambda variant, seed: [0.5])
    groups, _ = study_curves(study, rows, tmp_path, "base", WORDS)
    assert [group.heading for group in groups] == ["All variants (1 / 2)", "All variants (2 / 2)"]
    shown = [labels(group.drawings[0][0]) for group in groups]
    assert [line[0] for line in shown] == ["base", "base"]
    assert [name for line in shown for name in line[1:]] == names
    assert max(map(len, shown)) <= MOST_CURVES


def test_long_runs_are_thinned_out(tmp_path):
    study = small(seeds=1)
    rows = rows_of(study, tmp_path, lambda variant, seed: [1.0 + (epoch == 333) for epoch in range(700)])
    (group,), _ = study_curves(study, rows, tmp_path, "base", WORDS)
    points = group.drawings[0][0].points["curves"][0]["points"]
    assert len(points) <= MOST_EPOCHS + 2 * 3
    assert "2" in [point[3] for point in points]  # the peak stays


def test_of_very_many_variants_the_base_and_the_best_are_drawn(tmp_path):
    levels = {f"v{number:02d}": {"training.learning_rate": 0.001 * number} for number in range(1, MOST_DRAWN + 10)}
    for measure, best, kept in (
        ("validation_accuracy", None, range(11, 60)),
        ("train_loss", None, range(1, 50)),
        ("train_accuracy", "v01", [1, *range(12, 60)]),
    ):
        study = listed(levels, seeds=1, measure=measure)
        rows = rows_of(study, tmp_path / measure, lambda variant, seed: [0.5])
        rows = [replace(row, measures={measure: number / 100}) for number, row in enumerate(rows)]
        groups, notes = study_curves(study, rows, tmp_path / measure, best, WORDS)
        drawn = {name for group in groups for name in labels(group.drawings[0][0])}
        assert drawn == {"base", *(f"v{number:02d}" for number in kept)}
        assert notes[1:] == ["Of 60 variants, the base and those with the best means are drawn, 50 in all."]
