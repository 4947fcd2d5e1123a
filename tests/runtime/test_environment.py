import platform

import numpy as np

import glassnet.runtime.environment


def test_it_says_what_a_result_depends_on():
    facts = glassnet.runtime.environment.environment()
    assert list(facts) == ["glassnet", "python", "numpy", "blas", "platform", "cpus"]
    assert all(isinstance(value, str) and value and "\n" not in value for value in facts.values())
    assert facts["python"] == platform.python_version()
    assert facts["numpy"] == np.__version__
    assert int(facts["cpus"]) >= 1
    assert (
        "blas" in facts["blas"].lower() or "accelerate" in facts["blas"].lower() or "mkl" in facts["blas"].lower()
    )
