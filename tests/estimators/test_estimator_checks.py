"""scikit-learn's checks of estimators, and its own tests of MLPs, hold."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sklearn.utils.estimator_checks import check_estimator

import glassnet as gn

HERE = Path(__file__).parent

#: Checks that may be skipped: what they need is not there.
SKIPPED = {
    "check_array_api_input",  # needs SCIPY_ARRAY_API, which is set below
    "check_classifiers_multilabel_output_format_decision_function",  # there is no decision_function
}

#: scikit-learn checks its MLPs with so many epochs.
EPOCHS = 100

CHECK = f"""
import warnings
warnings.simplefilter("ignore")
import glassnet
from sklearn.utils.estimator_checks import check_estimator
for estimator in (glassnet.MLPClassifier(max_iter={EPOCHS}), glassnet.MLPRegressor(max_iter={EPOCHS})):
    results = check_estimator(estimator, on_skip=None)
    assert len(results) > 40
    print([one["check_name"] for one in results if one["status"] != "passed"])
"""


@pytest.mark.filterwarnings("ignore")  # the checks warn of what they do
@pytest.mark.parametrize("estimator", [gn.MLPClassifier, gn.MLPRegressor])
def test_every_check_of_scikit_learn_passes(estimator):
    results = check_estimator(estimator(max_iter=EPOCHS), on_skip=None)
    assert len(results) > 40
    assert {one["check_name"] for one in results if one["status"] != "passed"} <= SKIPPED


@pytest.mark.slow
def test_every_check_passes_with_the_array_api():
    environment = os.environ | {"SCIPY_ARRAY_API": "1"}
    answer = subprocess.run(
        [sys.executable, "-c", CHECK], capture_output=True, text=True, check=True, env=environment
    )
    assert "array_api" not in answer.stdout


@pytest.mark.slow
def test_scikit_learns_own_tests_pass(tmp_path):
    command = [sys.executable, str(HERE / "run_sklearn_tests.py"), "--basetemp", str(tmp_path / "sklearn")]
    answer = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert answer.returncode == 0, answer.stdout[-3000:]
    assert " passed" in answer.stdout
