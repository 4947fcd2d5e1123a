"""What differs from the defaults is told apart from all that does not."""

import pytest

from glassnet.locales.catalogue import Words
from glassnet.report.setting_tables import shorten, show_settings
from glassnet.training.config import configure

EN = Words("en")


def texts(table):
    return [[cell.text for cell in row] for row in table.cells]


def test_what_differs_stands_apart_with_its_default():
    config = configure(
        {
            "seed": 3,
            "data": {"dataset": "digits"},
            "network": {"layers": [64, 10], "batch_norm": True},
            "training": {"l2": 0.5, "class_weight": {"a": 2.0}, "metrics": ["auc"], "optimizer": "adam(0.01)"},
        }
    )
    shown = show_settings(config, EN)
    assert texts(shown.changed) == [
        ["seed", "3", "0"],
        ["dataset", "digits", "–"],
        ["layers", "[64, 10]", "–"],
        ["batch_norm", "true", "false"],
        ["optimizer", "adam(learning_rate=0.01)", "adam"],
        ["class_weight", "a=2.0", "–"],
        ["l2", "0.5", "0.0"],
        ["metrics", '["auc"]', "–"],
    ]
    others = {row[0]: row[1] for table in shown.others for row in texts(table)}
    assert (others["activation"], others["epochs"], others["l1"]) == ("relu", "10", "0.0")
    assert not set(others) & {row[0] for row in texts(shown.changed)}
    assert "target" not in others  # it is not set
    assert shown.n_others == len(others)
    assert [table.caption for table in shown.others] == ["Data", "Network", "Training"]


def test_what_a_study_varies_is_left_out():
    config = configure({"data": {"dataset": "digits"}, "network": {"layers": [64, 10]}})
    shown = show_settings(config, EN, {"network.layers", "run.seed", "training.epochs"})
    assert texts(shown.changed) == [["dataset", "digits", "–"]]
    names = {row[0] for table in shown.others for row in texts(table)}
    assert not names & {"seed", "layers", "epochs"}


@pytest.mark.parametrize(
    ("name", "value", "short"),
    [
        (
            "optimizer",
            "adam(learning_rate=0.001, update_scale=1.0, beta1=0.9, beta2=0.999, epsilon=1e-08)",
            "adam",
        ),
        ("optimizer", "sgd(0.5)", "sgd(learning_rate=0.5)"),
        ("loss", "cross_entropy(reduction=mean)", "cross_entropy"),
        ("schedule", "cosine(warmup=0.1)", "cosine(warmup=0.1)"),
        ("early_stopping", "patience(3, monitor=auc)", "patience(3, monitor=auc)"),
        ("optimizer", "my_own(1)", "my_own(1)"),
        ("layers", [1, 2], "[1, 2]"),
    ],
)
def test_a_specification_is_without_its_defaults(name, value, short):
    assert shorten(name, value) == short


def test_a_path_is_its_last_part(tmp_path):
    config = configure({"data": {"dataset": str(tmp_path / "my rows.csv")}, "network": {"layers": [64, 10]}})
    cell = show_settings(config, EN).changed.cells[0][1]
    assert (cell.text, cell.full) == ("my rows.csv", str(tmp_path / "my rows.csv"))
