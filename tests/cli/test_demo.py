"""``glassnet demo``."""

import re
import shutil
import tomllib
from dataclasses import replace

import pytest

from glassnet.data.mnist_family import FAMILIES
from glassnet.data.registry import DATASETS
from glassnet.data.sources import Source
from glassnet.reproductions.publication import load_published_study
from glassnet.study.recommendation import recommend
from glassnet.study.results import read_rows
from glassnet.study.specification import load_study, study_of
from glassnet.study.study_folder import STUDY_FILE
from glassnet.training.config import load_config


@pytest.fixture
def no_server(monkeypatch):
    """The official address, where nobody listens."""
    entry = DATASETS["fashion-mnist"]
    nowhere = Source("fashion-mnist", "http://127.0.0.1:9/", entry.source.files)
    family = replace(next(family for family in FAMILIES if family.name == "fashion-mnist"), source=nowhere)
    monkeypatch.setitem(DATASETS, "fashion-mnist", family)


@pytest.fixture
def short_study(monkeypatch):
    """The study of the demo with fewer seeds and epochs."""
    whole = tomllib.loads(load_published_study("demo-digits").text)
    short = study_of(whole | {"seeds": 2, "budget": {"epochs": 2}})
    monkeypatch.setattr("glassnet.reproductions.publication.load_published_study", lambda name: short)


@pytest.mark.usefixtures("short_study")
def test_without_data_and_network_it_does_the_whole_job_on_digits_and_says_so(glassnet, no_server, here):
    answer = glassnet("demo", "--lang", "zh")
    assert answer.code == 0
    assert answer.err.startswith("glassnet: fashion-mnist: not found. ")
    assert "Going on with digits" in answer.err
    assert "10/10" in answer.err
    [folder] = (here / "demos").iterdir()
    assert {path.name for path in folder.iterdir()} == {"data.png", "study", "plan"}
    assert (folder / "data.png").read_bytes().startswith(b"\x89PNG")
    assert re.findall(r"^(\d)  \w", answer.out, re.MULTILINE) == ["1", "2", "3"]
    assert float(re.search(r"^测试准确率 +(\S+)", answer.out, re.MULTILINE)[1]) >= 0.95
    for part in ("study", "plan"):
        assert f"{folder.relative_to(here) / part}/report.html\n" in answer.out
        assert "验证" in (folder / part / "report.md").read_text(encoding="utf-8")
    assert glassnet("evaluate", folder / "plan").code == 0
    study = load_study(folder / "study" / STUDY_FILE)
    chosen = recommend(read_rows(folder / "study"), study.measure, study.levels()).variant
    assert f"3  推荐方案 {chosen}；现在才使用测试集\n" in answer.out
    changed = "epochs 取 60（原为 2）、schedule 取 one_cycle（原为 constant）。\n"
    assert f"它的训练设置与对比实验不同，所以结果也会不同：{changed}" in answer.out
    base = next(one.config for one in study.variants() if one.name == chosen)
    plan = load_config(folder / "plan" / "config.toml")
    assert (plan.network.layers, plan.network.activation) == (base.network.layers, base.network.activation)
    assert plan.training.epochs > base.training.epochs
    assert not (folder / "study" / "recommended.json").exists()  # the study saw no test row


@pytest.mark.slow
def test_json_is_one_object(glassnet, no_server, here):
    answer = glassnet("demo", "--json").json
    assert answer["dataset"] == "digits"
    names = [variant.name for variant in load_published_study("demo-digits").variants()]
    assert answer["recommended"] in names
    assert (here / answer["study"] / "report.html").is_file()


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
@pytest.mark.slow
def test_with_fashion_mnist_it_ends_where_a_network_of_that_size_should(glassnet, fashion_mnist_home):
    answer = glassnet("demo", "--data-dir", fashion_mnist_home, "--json")
    assert answer.json["dataset"] == "fashion-mnist"
    assert answer.json["test_accuracy"] >= 0.875


@pytest.mark.parametrize("name", ["demo-digits", "demo-fashion-mnist"])
def test_both_studies_compare_the_same(name):
    study = load_published_study(name)
    assert list(study.levels()) == ["optimizer", "activation", "network"]
    assert (len(study.variants()), len(study.seeds)) == (5, 3)
    assert study.base.data.dataset == name.removeprefix("demo-")
