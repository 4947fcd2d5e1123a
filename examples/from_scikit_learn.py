"""The same network in scikit-learn and in glassnet, and what glassnet adds; see docs/scikit-learn.md.

python examples/from_scikit_learn.py
"""

import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import glassnet as gn


def main():
    """Fit both, look inside, search, and go back."""
    warnings.simplefilter("ignore", ConvergenceWarning)  # the trainings are short
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X / 16, y, random_state=0)
    options = {"hidden_layer_sizes": (32,), "max_iter": 15, "random_state": 0}

    theirs = MLPClassifier(**options).fit(X, y)
    ours = gn.MLPClassifier(**options).fit(X, y)  # change the import, and nothing else
    apart = np.abs(theirs.predict_proba(X_test) - ours.predict_proba(X_test)).max()
    scores = f"{theirs.score(X_test, y_test):.4f} and {ours.score(X_test, y_test):.4f}"
    print(f"accuracy {scores}; the probabilities differ by up to {apart:.0e}")

    print("\nhow it learned, epoch by epoch")
    for record in list(ours.history_)[::5]:
        print(" ", record.summary)
    print("health:", ours.health_.state, *(f"({one.kind})" for one in ours.health_.diagnoses))

    pipeline = make_pipeline(StandardScaler(), gn.MLPClassifier(**options))
    grid = {"mlpclassifier__hidden_layer_sizes": [(8,), (32,)], "mlpclassifier__alpha": [1e-4, 1e-1]}
    search = GridSearchCV(pipeline, grid, cv=3).fit(X, y)
    print("\nbest of a grid search:", search.best_params_, f"{search.best_score_:.3f}")

    again = ours.to_sklearn()
    same = np.allclose(again.predict_proba(X_test), ours.predict_proba(X_test))
    print(f"\nback in scikit-learn: a {type(again).__name__} with {'the same' if same else 'OTHER'} answers")


if __name__ == "__main__":
    main()
