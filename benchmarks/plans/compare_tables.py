"""The plans for tables beside gradient boosting and other MLPs, on the same rows, judged on test rows.

    pip install -r benchmarks/plans/requirements.txt
    python benchmarks/plans/compare_tables.py [--splits 3] [--tables california,adult] [--peers catboost,lightgbm]

Each contestant learns from 64 % of the rows, may stop early by 16 %, and is judged on 20 %, on several splits.
Peers take their defaults: CatBoost, LightGBM and XGBoost with 2,000 trees and early stopping, scikit-learn's
boosting, and its MLP on standardised and one-hot columns; RealMLP-TD is that of pytabkit. Those that are not
installed are left out, and said so. Writes results/tables.json and .md.
"""

import argparse
import statistics
import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import machine

machine.free_choice()

import numpy as np
from results import number, table, write
from tables import TABLES, error_of, split

import glassnet as gn
from glassnet.training.table_plan import load_table_plan

#: Members of an ensemble.
MEMBERS = 5


def fit_glassnet(name, members=1):
    """Return a contestant that trains by a plan for tables; the answers of several members are averaged."""

    def fit(train, validation, target):
        plan = load_table_plan(name)
        data = make_dataset(train, validation, target, plan)
        configs = [plan.fit_to(data, {"seed": seed}) for seed in range(members)]
        runs = [gn.run(config, data, progress=False) for config in configs]

        def predict(rows):
            if data.task == "regression":
                return sum(run.model.predict(rows) for run in runs) / members
            shares = sum(run.model.predict_proba(rows) for run in runs)
            return [runs[0].model.classes[place] for place in shares.argmax(axis=1)]

        return predict

    return fit


def make_dataset(train, validation, target, plan):
    """Return the rows as a data set whose schema is learned from those to learn from alone, as the plan has it."""
    from glassnet.data.read_options import ReadOptions
    from glassnet.data.table import read_table
    from glassnet.data.table_dataset import join_table_splits
    from glassnet.data.table_target import learn_target

    frame, rows = train.vstack(validation), len(train)
    options = ReadOptions(target=target)
    read = read_table(frame, options)
    labels, y, _ = learn_target(read.frame[target], options, read.written)
    parts = {"train": np.arange(rows), "validation": np.arange(rows, len(frame)), "test": np.arange(0)}
    features = read._replace(frame=read.frame.drop(target))
    data = join_table_splits(features, y, parts, labels, options, "table")
    return data.scale(plan.data["scaling"]).cut(plan.data["pieces"])


def fit_catboost(train, validation, target):
    """CatBoost, 2,000 trees with early stopping."""
    from catboost import CatBoostClassifier, CatBoostRegressor

    X, y, V, v, categories = as_pandas(train, validation, target)
    kind = CatBoostClassifier if is_classes(y) else CatBoostRegressor
    model = kind(iterations=2000, early_stopping_rounds=50, verbose=False, thread_count=machine.CORES)
    texts = dict.fromkeys(categories, "str")
    model.fit(X.astype(texts), y, eval_set=(V.astype(texts), v), cat_features=categories)
    return lambda rows: model.predict(columns_of(rows, X).astype(texts))


def fit_lightgbm(train, validation, target):
    """LightGBM, 2,000 trees with early stopping."""
    import lightgbm

    X, y, V, v, _ = as_pandas(train, validation, target)
    kind = lightgbm.LGBMClassifier if is_classes(y) else lightgbm.LGBMRegressor
    model = kind(n_estimators=2000, verbose=-1, n_jobs=machine.CORES, random_state=0)
    model.fit(X, y, eval_set=[(V, v)], callbacks=[lightgbm.early_stopping(50, verbose=False)])
    return lambda rows: model.predict(columns_of(rows, X))


def fit_xgboost(train, validation, target):
    """XGBoost, 2,000 trees with early stopping."""
    import xgboost

    X, y, V, v, _ = as_pandas(train, validation, target)
    kind = xgboost.XGBClassifier if is_classes(y) else xgboost.XGBRegressor
    classes = sorted(set(y)) if is_classes(y) else None
    model = kind(n_estimators=2000, early_stopping_rounds=50, enable_categorical=True, n_jobs=machine.CORES)
    numbers = (lambda y: y) if classes is None else (lambda y: y.map(classes.index))
    model.fit(X, numbers(y), eval_set=[(V, numbers(v))], verbose=False)

    def predict(rows):
        answers = model.predict(columns_of(rows, X))
        return answers if classes is None else [classes[place] for place in answers]

    return predict


def fit_boosting(train, validation, target):
    """scikit-learn's histogram boosting at its defaults."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    X, y, *_ = as_pandas(train, validation, target)
    kind = HistGradientBoostingClassifier if is_classes(y) else HistGradientBoostingRegressor
    model = kind(categorical_features="from_dtype", random_state=0).fit(X, y)
    return lambda rows: model.predict(columns_of(rows, X))


def fit_sklearn_mlp(train, validation, target):
    """scikit-learn's MLP of two layers of 256 on standardised and one-hot columns, with early stopping."""
    from sklearn.compose import TransformedTargetRegressor, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    X, y, _, _, categories = as_pandas(train, validation, target)
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), categories),
        (numbers, [name for name in X if name not in categories]),
    )
    kind = MLPClassifier if is_classes(y) else MLPRegressor
    network = kind(hidden_layer_sizes=(256, 256), early_stopping=True, random_state=0)
    model = make_pipeline(
        columns,
        network if is_classes(y) else TransformedTargetRegressor(network, transformer=StandardScaler()),
    )
    model.fit(X, y)
    return lambda rows: model.predict(columns_of(rows, X))


def fit_realmlp(train, validation, target):
    """RealMLP-TD of pytabkit at its defaults."""
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    X, y, V, v, categories = as_pandas(train, validation, target)
    kind = RealMLP_TD_Classifier if is_classes(y) else RealMLP_TD_Regressor
    model = kind(device="cpu", random_state=0, n_cv=1, n_refit=0, verbosity=0)
    model.fit(X, y.to_numpy(), V, v.to_numpy(), cat_col_names=categories)
    return lambda rows: model.predict(columns_of(rows, X))


CONTESTANTS = {
    "glassnet table": fit_glassnet("table"),
    "glassnet table, 5 members": fit_glassnet("table", MEMBERS),
    "glassnet table-small": fit_glassnet("table-small"),
    "catboost": fit_catboost,
    "lightgbm": fit_lightgbm,
    "xgboost": fit_xgboost,
    "scikit-learn boosting": fit_boosting,
    "scikit-learn MLP": fit_sklearn_mlp,
    "RealMLP-TD": fit_realmlp,
}


def as_pandas(train, validation, target):
    """Return pandas frames and targets to learn from and to validate on, and the names of the categories."""
    import polars as pl

    categories = [name for name in train.columns if not train[name].dtype.is_numeric() and name != target]
    known = {name: pl.Enum(sorted(map(str, train[name].drop_nulls().unique()))) for name in categories}
    alike = [pl.col(name).cast(str).cast(kind, strict=False) for name, kind in known.items()]
    frames = [frame.with_columns(alike).to_pandas() for frame in (train, validation)]
    (X, y), (V, v) = ((frame.drop(columns=target), frame[target]) for frame in frames)
    return X, y, V, v, categories


def columns_of(rows, like):
    """Return rows to predict as the frame that was learned from has its columns."""
    return rows.to_pandas()[list(like)].astype(like.dtypes.to_dict())


def is_classes(y):
    """Whether a target is of classes."""
    from pandas.api.types import is_numeric_dtype

    return not is_numeric_dtype(y)


def main():
    """Read the options, train everyone on every split, and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--tables", default=",".join(TABLES))
    parser.add_argument("--peers", default="", help="of these alone, beside glassnet; default: all")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    wanted = options.peers.split(",") if options.peers else list(CONTESTANTS)
    chosen = {name: fit for name, fit in CONTESTANTS.items() if name in wanted or name.startswith("glassnet")}
    errors, seconds, missing = {}, {}, set()
    for name in options.tables.split(","):
        frame, target = TABLES[name].read(), TABLES[name].target
        for seed in range(options.splits):
            train, validation, test = (frame[rows] for rows in split(len(frame), seed))
            for contestant, fit in chosen.items():
                began = time.perf_counter()
                try:
                    predict = fit(train, validation, target)
                except ImportError:
                    missing.add(contestant)
                    continue
                seconds.setdefault((name, contestant), []).append(time.perf_counter() - began)
                error = error_of(test[target].to_numpy(), predict(test.drop(target)))
                errors.setdefault((name, contestant), []).append(error)
                print(name, seed, contestant, f"{error:.4f}", f"{seconds[name, contestant][-1]:.1f} s", flush=True)
    report(options.tables.split(","), [one for one in chosen if one not in missing], errors, seconds, missing)


def report(names, contestants, errors, seconds, missing):
    """Write the mean errors and seconds, each with the spread over splits."""
    head = ["contestant", *names]
    rows = [[one, *(describe(errors.get((name, one))) for name in names)] for one in contestants]
    times = [[one, *(number(statistics.mean(seconds[name, one]), 1) for name in names)] for one in contestants]
    notes = [f"Not installed: {', '.join(sorted(missing))}."] if missing else []
    values = {
        kind: {f"{name}: {one}": figures for (name, one), figures in each.items()}
        for kind, each in (("errors", errors), ("seconds", seconds))
    }
    write(
        "tables",
        "# Plans for tables\n\nError on test rows: RMSE (of the logarithm for diamonds, cps and hitters), or the "
        "share of wrong classes; mean and standard deviation over splits. Then the seconds of a fit.",
        [table(head, rows), table(head, times)],
        values,
        notes,
    )


def describe(figures):
    """Return the mean of some figures and their spread."""
    if not figures:
        return "-"
    spread = f" (sd {statistics.stdev(figures):.4f})" if len(figures) > 1 else ""
    return f"{statistics.mean(figures):.4f}{spread}"


if __name__ == "__main__":
    main()
