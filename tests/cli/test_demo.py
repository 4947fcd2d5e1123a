"""``glassnet demo``."""

import re
import shutil
from dataclasses import replace

import pytest

from glassnet.data.mnist_family import FAMILIES
from glassnet.data.registry import DATASETS
from glassnet.data.sources import Source
from glassnet.training.config import load_config
from glassnet.training.plans import load_plan


@pytest.fixture
def no_server(monkeypatch):
    """The official address, where nobody listens."""
    entry = DATASETS["fashion-mnist"]
    nowhere = Source("fashion-mnist", "http://127.0.0.1:9/", entry.source.files)
    family = replace(next(family for family in FAMILIES if family.name == "fashion-mnist"), source=nowhere)
    monkeypatch.setitem(DATASETS, "fashion-mnist", replace(entry, load=family.load, source=nowhere))


def test_without_data_and_network_it_learns_digits_and_says_so(glassnet, no_server):
    answer = glassnet("demo")
    assert answer.code == 0
    assert answer.err.startswith("fashion-mnist: not found. ")
    assert "Going on with digits" in answer.err
    assert float(re.search(r"^test accuracy +(\S+)", answer.out, re.MULTILINE)[1]) >= 0.95
    folder = re.search(r"^run folder +(\S+)$", answer.out, re.MULTILINE)[1]
    assert f"Next:  glassnet evaluate {folder}\n" in answer.out
    assert glassnet("evaluate", folder).code == 0


def test_json_is_one_object(glassnet, no_server):
    assert glassnet("demo", "--json").json["dataset"] == "digits"


@pytest.mark.real_data
def test_damaged_data_are_an_error_and_no_reason_for_other_data(glassnet, fashion_mnist_home, here):
    shutil.copytree(f"{fashion_mnist_home}/fashion-mnist", here / "fashion-mnist")
    images = here / "fashion-mnist" / "train-images-idx3-ubyte.gz"
    content = images.read_bytes()
    images.chmod(0o644)
    images.write_bytes(content[: len(content) // 2])
    answer = glassnet("demo", "--data-dir", here)
    assert answer.code == 1
    assert answer.error.endswith("ends in the middle of the gzip data: copy or download it again")


@pytest.mark.real_data
def test_with_fashion_mnist_it_learns_that_by_the_fast_plan(glassnet, fashion_mnist_home):
    answer = glassnet("demo", "--data-dir", fashion_mnist_home, "--json")
    assert answer.json["dataset"] == "fashion-mnist"
    assert answer.json["test_accuracy"] >= 0.88
    config, plan = load_config(f"{answer.json['run_dir']}/config.toml"), load_plan("fashion-mnist", "fast")
    assert (config.network.layers, config.training.schedule) == (plan.network.layers, plan.training.schedule)
    assert answer.json["epochs"] == plan.training.epochs
