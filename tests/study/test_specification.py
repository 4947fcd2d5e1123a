import copy
import re
from pathlib import Path

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st
from tests.study.studies import listed, small

from glassnet.errors import FileError, UsageError
from glassnet.nn.optimizers import OPTIMIZERS
from glassnet.study.design import change_config
from glassnet.study.specification import KEYS, format_label, load_study, study_of

ROOT = Path(__file__).parents[2]
GOOD = {
    "name": "small",
    "seeds": [0, 1],
    "base": {"data": {"dataset": "digits"}, "network": {"layers": [64, 10]}, "training": {"optimizer": "adam"}},
    "factors": {"optimizer": {"levels": ["adam", "sgd"]}, "activation": {"levels": ["relu", "tanh", "elu"]}},
}


def values(**changes):
    """Return a good study's values; ``a__b=1`` changes a key of a table, None takes it away."""
    made = copy.deepcopy(GOOD)
    for path, value in changes.items():
        *tables, key = path.split("__")
        inner = made
        for table in tables:
            inner = inner.setdefault(table, {})
        inner[key] = value
        if value is None:
            del inner[key]
    return made


def test_one_at_a_time_changes_one_factor_each():
    found = study_of(GOOD).variants()
    assert [one.name for one in found] == ["base", "optimizer=sgd", "activation=tanh", "activation=elu"]
    assert [(one.config.training.optimizer, one.config.network.activation) for one in found] == [
        ("adam", "relu"),
        ("sgd", "relu"),
        ("adam", "tanh"),
        ("adam", "elu"),
    ]
    assert found[2].levels == {"optimizer": "adam", "activation": "tanh"}
    assert all(one.config.network.layers == [64, 10] for one in found)


def test_a_factorial_has_every_combination_once():
    found = study_of(values(design="factorial")).variants()
    pairs = [tuple(one.levels.values()) for one in found]
    assert pairs == [(o, a) for o in ("adam", "sgd") for a in ("relu", "tanh", "elu")]
    assert [one.name for one in found][:4] == ["base", "activation=tanh", "activation=elu", "optimizer=sgd"]
    assert found[4].name == "optimizer=sgd, activation=tanh"
    assert [(one.config.training.optimizer, one.config.network.activation) for one in found] == pairs


def test_a_list_has_what_it_names():
    study = listed({"slow": {"training.optimizer": "sgd(0.01)"}, "deep": {"network": {"layers": [64, 8, 8, 10]}}})
    found = study.variants()
    assert [one.name for one in found] == ["base", "slow", "deep"]
    assert found[1].config.training.optimizer == "sgd(0.01)"
    assert found[2].config.network.layers == [64, 8, 8, 10]
    assert found[2].config.training.optimizer == "adam"
    assert found[2].levels == {"variant": "deep"}
    assert study.levels() == {"variant": ["base", "slow", "deep"]}


def test_the_base_has_the_first_level_of_every_factor():
    study = study_of(values(base__training={}, factors__optimizer__levels=["momentum", "adam"]))
    assert study.base.training.optimizer == "momentum"
    assert study.variants()[1].config.training.optimizer == "adam"


def test_levels_can_have_labels_and_change_several_keys():
    levels = {
        "none": {},
        "some": {"network.dropout": 0.2, "training": {"weight_decay": 0.01, "clip_norm": 1.0}},
    }
    study = study_of(values(factors__rules={"levels": levels}))
    assert study.levels()["rules"] == ["none", "some"]
    some = study.variants()[-1]
    assert some.name == "rules=some"
    assert (some.config.network.dropout, some.config.training.weight_decay, some.config.training.clip_norm) == (
        0.2,
        0.01,
        1.0,
    )
    assert study.variants()[0].config.training.clip_norm is None


def test_levels_with_labels_and_a_key():
    table = {"key": "network.layers", "levels": {"small": [64, 10], "large": [64, 32, 10]}}
    assert study_of(values(factors__size=table)).variants()[-1].config.network.layers == [64, 32, 10]
    weights = {"key": "training.class_weight", "levels": {"all": "balanced", "ones": {"0": 1.0, "1": 2.0}}}
    assert study_of(values(factors__w=weights)).variants()[-1].config.training.class_weight == {"0": 1.0, "1": 2.0}


def rates(study):
    """Return the optimizer and its learning rate of each variant."""
    optimizers = [OPTIMIZERS.resolve(one.config.training.optimizer) for one in study.variants()]
    return [(type(one).__name__, one.learning_rate) for one in optimizers]


def test_the_learning_rate_is_a_factor():
    rate = {"levels": [0.01, 0.1]}
    study = study_of(values(factors={"learning_rate": rate}))
    assert [one.name for one in study.variants()] == ["base", "learning_rate=0.1"]
    assert rates(study) == [("Adam", 0.01), ("Adam", 0.1)]
    study = study_of(values(factors={"step": {"key": "training.learning_rate", **rate}}, base__training={}))
    assert rates(study) == [("Adam", 0.01), ("Adam", 0.1)]
    levels = {name: {"training": {"optimizer": name, "learning_rate": 0.2}} for name in ("adam", "sgd")}
    assert rates(study_of(values(factors={"rule": {"levels": levels}}))) == [("Adam", 0.2), ("SGD", 0.2)]
    assert study_of(values(factors={"update_scale": {"levels": [1, 2]}})).levels() == {"update_scale": ["1", "2"]}


@pytest.mark.parametrize("names", [("optimizer", "learning_rate"), ("learning_rate", "optimizer")])
def test_learning_rates_go_with_every_optimizer(names):
    levels = {"optimizer": ["adam", "sgd"], "learning_rate": [0.02, 0.2]}
    study = study_of(values(design="factorial", factors={name: {"levels": levels[name]} for name in names}))
    assert OPTIMIZERS.resolve(study.base.training.optimizer).learning_rate == 0.02
    assert sorted(rates(study)) == [("Adam", 0.02), ("Adam", 0.2), ("SGD", 0.02), ("SGD", 0.2)]


def test_a_level_without_a_label_is_called_by_its_value():
    labels = ["adam", "0.1", "true", "784-64-10", "[0.1,0.4]"]
    assert [format_label(value) for value in ("adam", 0.1, True, [784, 64, 10], [0.1, 0.4])] == labels


def test_seeds_are_a_number_or_a_list():
    assert study_of(values(seeds=3)).seeds == (0, 1, 2)
    assert study_of(values(seeds=[7, 2])).seeds == (7, 2)
    variant = study_of(values(seeds=[7, 2])).variants()[0]
    assert variant.with_seed(7).seed == 7
    assert variant.with_seed(7).network.seed is None


def test_the_budget_of_epochs_is_the_configurations():
    study = study_of(values(budget={"epochs": 4}))
    assert {one.config.training.epochs for one in study.variants()} == {4}
    assert study.budget.seconds is None


def test_a_budget_of_seconds_leaves_the_epochs_open():
    study = study_of(values(budget={"seconds": 4}))
    assert study.budget.seconds == 4
    assert study.base.training.epochs > 10_000
    assert study_of(values(budget={"seconds": 4}, base__training__epochs=6)).base.training.epochs == 6


def test_the_measure_is_measured_also_where_metrics_are_a_factor():
    study = study_of(values(measure="validation_auc", factors__metrics={"levels": [["f1"], ["log_loss"]]}))
    assert study.variants()[0].config.training.metrics == ["f1", "auc"]
    assert study.variants()[-1].config.training.metrics == ["log_loss", "auc"]
    assert study_of(values(measure="validation_loss")).base.training.metrics == []


BAD = [
    ({"name": None}, "name: is missing"),
    ({"measures": "x"}, "measures: is no option; did you mean measure?"),
    ({"base": None}, "base: is missing"),
    ({"base__network__layerz": [1]}, "base.network.layerz: is no option; did you mean layers?"),
    ({"base__data__dataset": "digitz"}, "base.data.dataset: unknown name 'digitz'; did you mean 'digits'?"),
    (
        {"base__training__optimizer": "adamm"},
        "base.training.optimizer: unknown name 'adamm'; did you mean 'adam'?",
    ),
    ({"base__training__epochs": 0}, "base.training.epochs: input should be greater than or equal to 1, got 0"),
    ({"base__seed": 3}, "base.seed: is decided by seeds; leave it out"),
    ({"base__network__seed": 3}, "base.network.seed: is decided by seeds; leave it out"),
    ({"seeds": []}, "seeds: takes a number of seeds, or a list of whole numbers as in [0, 1, 2], got []"),
    ({"seeds": 0}, "seeds: takes a number of seeds"),
    ({"seeds": True}, "seeds: takes a number of seeds"),
    ({"seeds": [0, -1]}, "seeds: takes a number of seeds"),
    ({"seeds": [0, 1.5]}, "seeds: takes a number of seeds"),
    ({"seeds": [0, 1, 0]}, "seeds: 0 is there twice"),
    ({"design": "all"}, "design: input should be 'one at a time', 'factorial' or 'list', got 'all'"),
    ({"design": "list"}, 'variants: is missing: the design "list" runs those that are named'),
    ({"variants": [{"name": "a", "changes": {}}]}, 'variants: goes with the design "list"'),
    ({"factors": {}}, "factors: is missing: a study changes something"),
    ({"budget": {"epochs": 2, "seconds": 3}}, "budget: takes epochs or seconds, not both"),
    ({"budget": {"epochs": 0}}, "budget.epochs: input should be greater than or equal to 1"),
    ({"budget": {"seconds": 0}}, "budget.seconds: input should be greater than 0"),
    ({"budget": {"minutes": 1}}, "budget.minutes: is no option; known here: epochs, seconds"),
    ({"budget": {"epochs": 2}, "base__training__epochs": 3}, "budget.epochs: base.training.epochs says otherwise"),
    (
        {"budget": {"epochs": 2}, "factors__epochs": {"levels": [1, 2]}},
        "factors.epochs.levels: 1: changes the epochs",
    ),
    ({"factors__optimizer__levels": None}, "factors.optimizer.levels: is missing"),
    (
        {"factors__optimizer__levels": []},
        "factors.optimizer.levels: needs two levels or more, the base's first, got 0",
    ),
    ({"factors__optimizer__levels": ["adam"]}, "factors.optimizer.levels: needs two levels or more"),
    ({"factors__optimizer__levels": "adam"}, "factors.optimizer.levels: input should be a valid list"),
    ({"factors__optimizer__levels": ["adam", "sgd", "adam"]}, "factors.optimizer.levels: adam is there twice"),
    ({"factors__optimizer__levels": {"a": "adam", "b": "adam"}}, "factors.optimizer.levels: b is there twice"),
    (
        {"factors__optimizer__levels": ["adam", "sdg"]},
        "factors.optimizer.levels: sdg: training.optimizer: unknown name 'sdg'; did you mean 'sgd'?",
    ),
    (
        {"factors__optimizer__levels": ["adam", 3]},
        "factors.optimizer.levels: 3: training.optimizer: input should be",
    ),
    ({"factors__dropout": {"levels": [0.1, "x"]}}, "factors.dropout.levels: x: network.dropout: input should be"),
    ({"factors__optimizer__level": []}, "factors.optimizer.level: is no option; did you mean levels?"),
    (
        {"factors__width": {"levels": [1, 2]}},
        "factors.width.key: is missing: no key of network or training is called",
    ),
    (
        {"factors__x": {"key": "training.optimiser", "levels": [1, 2]}},
        "factors.x.key: no configuration has the key 'training.optimiser'; did you mean 'training.optimizer'?",
    ),
    ({"factors__x": {"key": "layers", "levels": [1, 2]}}, "did you mean 'network.layers'?"),
    ({"factors__x": {"key": "network.epochs", "levels": [1, 2]}}, "did you mean 'training.epochs'?"),
    (
        {"factors__x": {"key": "training.qqq", "levels": [1, 2]}},
        "'training.qqq'; write it as in training.optimizer",
    ),
    ({"factors__x": {"key": "network.seed", "levels": [1, 2]}}, "factors.x.key: network.seed is decided by seeds"),
    (
        {"factors__x": {"key": "training.threads", "levels": [1, 2]}},
        "factors.x.key: training.threads is decided by the study's runner",
    ),
    (
        {"factors__x": {"levels": {"a": {}, "b": {"training.lr": 1}}}},
        "factors.x.levels.b: no configuration has the key 'training.lr'; did you mean 'training.learning_rate'?",
    ),
    (
        {"factors__x": {"key": "training.optimizer", "levels": ["adam", "sgd"]}},
        "factors.x: changes training.optimizer, and so does optimizer; make them one",
    ),
    (
        {"base__training__optimizer": "momentum"},
        "base.training.optimizer: is not adam, the first level of factors.optimizer, which is the base's",
    ),
    (
        {"factors": {"learning_rate": {"levels": [0.01, 0.1]}}, "base__training__learning_rate": 0.05},
        "base.training.learning_rate: is not 0.01, the first level of factors.learning_rate, which is the base's",
    ),
    (
        {"factors": {"learning_rate": {"levels": [0.01, 0.1]}}, "base__training__optimizer": "sgd(0.3)"},
        "base.training.learning_rate: is not 0.01, the first level of factors.learning_rate, which is the base's",
    ),
    ({"factors__learning_rate": {"levels": [0.01, -1]}}, "-1: training.learning_rate: must be > 0, got -1"),
    (
        {"factors__data": {"key": "data.dataset", "levels": ["digits", "irs"]}},
        "factors.data.levels: irs: dataset:",
    ),
    ({"measure": "accuracy_of_sorts"}, "measure: unknown name 'accuracy_of_sorts'"),
    ({"measure": "test_accuracy"}, "measure: test_accuracy: test rows decide nothing in a study"),
    ({"measure": "train_auc"}, "measure: train_auc is not measured; take validation_auc"),
]


@pytest.mark.parametrize(("changes", "said"), BAD, ids=lambda value: value if isinstance(value, str) else "")
def test_a_bad_file_is_one_line_that_names_file_and_key(tmp_path, changes, said):
    path = tmp_path / "bad.toml"
    path.write_text(tomli_w.dumps(values(**changes)))
    with pytest.raises(FileError) as caught:
        load_study(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert said in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("variants", "said"),
    [
        ([{"name": "a"}], "variants.a.changes: is missing"),
        ([{"changes": {}}], "variants.1.name: is missing"),
        ([{"name": "a", "changes": {}}, {"name": "a", "changes": {}}], "variants.a: is a name that is taken"),
        ([{"name": "base", "changes": {}}], "variants.base: is a name that is taken"),
        (
            [{"name": "a", "changes": {"optimizer": "sgd"}}],
            "variants.a.changes: takes keys as in training.optimizer",
        ),
        ([{"name": "a", "changes": {"network.layerz": 1}}], "variants.a.changes: no configuration has the key"),
        ([{"name": "a", "changes": {"training.epochs": 0}}], "variants.a: a: epochs: input should be greater"),
    ],
)
def test_a_bad_list(variants, said):
    with pytest.raises(UsageError, match=re.escape(said).replace("epochs", "(training.)?epochs")):
        study_of(values(design="list", factors={}, variants=variants))
    with pytest.raises(UsageError, match="factors: goes with the designs"):
        study_of(values(design="list", variants=[{"name": "a", "changes": {}}]))


def test_files_that_are_none(tmp_path):
    path = tmp_path / "study.toml"
    with pytest.raises(FileError, match=r"study\.toml: cannot be read: No such file"):
        load_study(path)
    path.write_text("name = ")
    with pytest.raises(FileError, match=r"study\.toml: is no TOML file"):
        load_study(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(FileError, match=r"study\.toml: is no text in UTF-8"):
        load_study(path)
    with pytest.raises(FileError, match="is not a regular file"):
        load_study(tmp_path)


def test_the_examples_are_studies():
    for path in (ROOT / "examples").glob("*.toml"):
        study = load_study(path)
        assert study.text == path.read_text(encoding="utf-8")
        assert study.file_name == path.stem
        assert len(study.variants()) > 2


def test_a_study_read_from_its_own_text_is_the_same(tmp_path):
    study = study_of(GOOD)
    (tmp_path / "study.toml").write_text(study.text)
    again = load_study(tmp_path / "study.toml")
    assert again == study
    assert again.fingerprint() == study.fingerprint()


OTHERS = [
    {"base__training__epochs": 3},
    {"factors__optimizer__levels": ["adam", "sgd(0.5)"]},
    {"factors__optimizer__levels": {"adam": "adam", "other": "sgd"}},
    {"factors__activation__levels": ["relu", "elu", "tanh"]},
    {"design": "factorial"},
    {"budget": {"seconds": 3}, "base__training__epochs": 10},
    {"base__data__split_seed": 1},
    {"measure": "validation_auc"},
]


@pytest.mark.parametrize("changes", OTHERS)
def test_the_fingerprint_knows_another_study(changes):
    assert study_of(values(**changes)).fingerprint() != study_of(GOOD).fingerprint()


@pytest.mark.parametrize("changes", [{"name": "other"}, {"seeds": 9}, {"measure": "validation_loss"}])
def test_the_fingerprint_is_of_what_decides_a_run(changes):
    assert study_of(values(**changes)).fingerprint() == study_of(GOOD).fingerprint()


@given(st.lists(st.text(min_size=1, max_size=120), min_size=1, max_size=5, unique=True))
def test_file_names_are_safe_and_apart(names):
    names = [name for name in names if name != "base"]
    if not names:
        return
    found = listed({name: {"training.optimizer": "sgd"} for name in names}).file_names()
    assert list(found) == ["base", *names]
    assert len({name.casefold() for name in found.values()}) == len(found)
    for name in found.values():
        assert re.fullmatch(r"[A-Za-z0-9_.=+-]+", name)
        assert len(name) < 120


def test_changed_checks_what_it_changes():
    base = small().base
    assert change_config(base, {}) == base
    assert change_config(base, {"network.dropout": 0.5}).network.dropout == 0.5
    assert base.network.dropout == 0.2
    with pytest.raises(UsageError, match="epochs: input should be greater"):
        change_config(base, {"training.epochs": -1})
    assert "training.optimizer" in KEYS
    assert not {"network.seed", "training.threads"} & set(KEYS)


def test_every_seed_draws_its_validation_rows_unless_the_file_says_which_these_are():
    def seeds_of(data, **changes):
        base = {"data": {"dataset": "digits"} | data}
        values = {"name": "x", "seeds": 2, "base": base, "factors": {"optimizer": {"levels": ["adam", "sgd"]}}}
        study = study_of(values | changes)
        return study.splits_by_seed, [study.variants()[1].with_seed(seed).data.split_seed for seed in (0, 7)]

    assert seeds_of({}) == seeds_of({"validation": 0.2}) == (True, [0, 7])
    assert seeds_of({"split_seed": 3}) == (False, [3, 3])
    assert seeds_of({"validation": "last(100)"}) == (False, [0, 0])
    assert seeds_of({"validation": 0}, measure="train_loss") == (False, [0, 0])
    by_split = {"split": {"key": "data.split_seed", "levels": [0, 1]}}
    assert seeds_of({}, factors=by_split | {"optimizer": {"levels": ["adam", "sgd"]}})[0] is False
    drawn, fixed = (
        study_of(
            {
                "name": "x",
                "seeds": 2,
                "base": {"data": data},
                "factors": {"optimizer": {"levels": ["adam", "sgd"]}},
            }
        )
        for data in ({"dataset": "digits"}, {"dataset": "digits", "split_seed": 0})
    )
    assert drawn.fingerprint() != fixed.fingerprint()


@pytest.mark.parametrize("margin", [0, -0.1, "much", float("inf")])
def test_a_margin_is_a_number_above_0(margin):
    values = {"name": "x", "seeds": 2, "base": {"data": {"dataset": "digits"}}}
    values["factors"] = {"optimizer": {"levels": ["adam", "sgd"]}}
    assert study_of(values | {"margin": 0.01}).margin == 0.01
    with pytest.raises(UsageError, match=r"^margin"):
        study_of(values | {"margin": margin})
