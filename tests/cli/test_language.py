"""The language of pages and tables: by option, else by the system; what programs read has none."""

import re
from pathlib import Path

import pytest
from tests.chinese import latin_words, misplaced_marks
from tests.loops import for_each

from glassnet.cli.language import choose_language
from glassnet.runtime.terminal import width_of

SMALL = ["digits", "--epochs", 2, "--layers", "64,8,10", "--kernels", "numpy", "-q"]


@pytest.fixture
def system(monkeypatch):
    """``system(LANG="zh_CN.UTF-8")``: what the system says, and nothing else."""

    def say(**variables):
        for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return say


@for_each(
    "variables, language",
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh"}, "zh"),
        ({"LANG": "ZH_CN"}, "zh"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "C"}, "en"),
        ({"LC_ALL": "C.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LC_ALL": "", "LC_MESSAGES": "zh_CN.UTF-8", "LANG": "en_US.UTF-8"}, "zh"),
        ({"LC_MESSAGES": "en_US.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
    ],
)
def test_the_system_decides_by_the_first_variable_that_is_set(system, variables, language):
    system(**variables)
    assert choose_language(None) == language
    assert (choose_language("en"), choose_language("zh")) == ("en", "zh")


def columns_of(out):
    """Return the columns of a terminal at which the values of a table of facts begin."""
    return {width_of(re.match(r"(?:[^ ]| (?! ))+ {2,}", line)[0]) for line in out.splitlines() if "  " in line}


def test_training_evaluating_and_checking_speak_the_language_of_the_system(glassnet, system):
    system(LANG="zh_CN.UTF-8")
    said = glassnet("train", *SMALL, "--run-dir", "run").out
    assert "测试准确率" in said
    assert len(columns_of(said)) == 1
    assert 'lang="zh-CN"' in Path("run/report.html").read_text(encoding="utf-8")
    names = {
        "digits",
        "adam",
        "learning_rate",
        "update_scale",
        "beta",
        "epsilon",
        "numpy",
        "run",
        "report",
        "html",
    }
    assert latin_words(said) <= names
    assert misplaced_marks(said) == []
    assert "最常误判为" in glassnet("evaluate", "run").out
    assert "可以直接训练" in glassnet("check", "digits", "--layers", "64,64,10").out
    assert glassnet("train", *SMALL, "--lang", "en").out.startswith("data ")


def test_without_a_report_the_table_has_the_language_that_is_asked_for(glassnet, here):
    said = glassnet("train", *SMALL, "--run-dir", "run", "--lang", "zh", "--no-report").out
    assert said.startswith("数据")
    assert not list(here.glob("run/report*"))


@pytest.mark.filterwarnings("ignore::glassnet.errors.HealthWarning")
def test_a_range_test_and_a_remedy_are_told_in_chinese(glassnet):
    said = glassnet("train", "digits", "--layers", "64,16,10", "--find-lr", "--lang", "zh", "-q").out
    assert re.search(r"^依据 +在 [\d.e-]+ 处，平滑后的损失已走完下降幅度的 80%", said, re.MULTILINE)
    options = ["--initializer", "zeros", "--layers", "64,16,10", "--epochs", 8, "--kernels", "numpy", "-q"]
    said = glassnet("train", "digits", *options, "--remedy", "--lang", "zh", "--run-dir", "sick").out
    assert re.search(r"^改动前 .* 异常：重复神经元", said, re.MULTILINE)
    assert re.search(r"^诊断 +重复神经元（第 1 层，从一开始）：16 个神经元的初始权重相同", said, re.MULTILINE)


def test_what_programs_read_is_the_same_in_every_language(glassnet, system):
    system(LANG="zh_CN.UTF-8")
    glassnet("train", *SMALL, "--run-dir", "run")
    records = [glassnet("evaluate", "run", "--json", "--lang", language).json for language in ("en", "zh")]
    assert records[0] == records[1]
    records = [glassnet("check", "digits", "--json", "--lang", language).json for language in ("en", "zh")]
    assert records[0] == records[1]
    assert records[0]["checks"][0]["name"] == "first loss"


def test_the_explain_page_and_its_table_are_chinese(glassnet, here):
    said = glassnet("explain", "3,2,1", "--lang", "zh").out
    assert len(columns_of(said)) == 1
    assert latin_words(said) <= {"explain", "html", "kB"}
    assert 'lang="zh-CN"' in (here / "explain-3-2-1.html").read_text(encoding="utf-8")
    glassnet("train", *SMALL, "--run-dir", "run", "--no-report")
    glassnet("explain", "run", "--sample", 3, "--lang", "zh", "--out", "digit.html")
    assert "digits 测试集的第 3 个样本" in (here / "digit.html").read_text(encoding="utf-8")
    glassnet("explain", "12,11,3", "--level", "neurons", "--lang", "zh", "--out", "neurons.svg")
    picture = (here / "neurons.svg").read_text(encoding="utf-8")
    assert 'aria-label="12-11-3 网络的计算图（神经元）"' in picture
    assert ">+6<" in picture
