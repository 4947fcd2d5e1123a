"""Run scikit-learn's own tests of MLPs, and those of all estimators, with glassnet's classes in their place.

    python tests/estimators/run_sklearn_tests.py [arguments of pytest]

The tests are those of the installed scikit-learn, as they are. Before they are imported, glassnet's classes are
put where they look for scikit-learn's.
"""

import os
import sys
import tempfile

import pytest
import sklearn.neural_network
import sklearn.utils
import sklearn.utils.discovery

import glassnet

OURS = {"MLPClassifier": glassnet.MLPClassifier, "MLPRegressor": glassnet.MLPRegressor}

#: The test files, as modules.
FILES = ("sklearn.neural_network.tests.test_mlp", "sklearn.tests.test_common")

#: Tests that are left out, with the reason.
LEFT_OUT = {
    "test_gradient": "calls the private method _loss_grad_lbfgs; tests/nn/test_gradient_check.py has ours",
    "test_check_param_validation": "reads the private table _parameter_constraints, and asks for its sentences; "
    "test_parameters.py has ours",
    "test_all_estimator_no_base_class": "lists all estimators of scikit-learn, and no MLP",
}


def all_estimators(type_filter=None):
    """Return our estimators, as scikit-learn lists its own."""
    kinds = {"classifier": "MLPClassifier", "regressor": "MLPRegressor"}
    names = [*OURS] if type_filter is None else [kinds[type_filter]] if type_filter in kinds else []
    return [(name, OURS[name]) for name in names]


class Substitution:
    """The plugin of pytest that leaves tests out."""

    def pytest_collection_modifyitems(self, config, items):
        left_out = [item for item in items if item.originalname in LEFT_OUT]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def main(arguments):
    for name, ours in OURS.items():
        setattr(sklearn.neural_network, name, ours)
    sklearn.utils.all_estimators = sklearn.utils.discovery.all_estimators = all_estimators
    os.chdir(tempfile.gettempdir())  # where the settings of our own tests are not found
    options = ["-p", "no:cacheprovider", "-q", "--pyargs", *FILES, *arguments]
    return pytest.main(options, plugins=[Substitution()])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
