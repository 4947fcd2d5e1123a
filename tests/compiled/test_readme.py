"""The example in the package's README prints what the README says."""

import doctest
from pathlib import Path

import glassnet.compiled


def test_the_example_of_the_readme_prints_what_it_says():
    readme = Path(glassnet.compiled.__file__).with_name("README.md")
    found = doctest.testfile(str(readme), module_relative=False)
    assert (found.failed, found.attempted) == (0, 7)
