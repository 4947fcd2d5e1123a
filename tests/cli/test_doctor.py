import pytest

from glassnet.data.registry import DATASETS
from glassnet.runtime.machine import machine_report


def test_it_says_what_the_machine_has(glassnet, monkeypatch):
    monkeypatch.delenv("GLASSNET_DATA", raising=False)
    answer = glassnet("doctor")
    assert (answer.code, answer.err) == (0, "")
    for word in (
        "processor",
        "cores",
        "GFLOP/s",
        "kernels",
        "data: others",
        "glassnet data list",
        "versions",
        "advice",
    ):
        assert word in answer.out
    assert "data: fashion-mnist" not in answer.out  # it is not here
    assert "data: iris" not in answer.out  # it always is


def test_the_advice_is_printed_and_where_there_is_none_that_is_said(glassnet, monkeypatch):
    report = machine_report() | {"load": 0.25, "cores": 6, "advice": ["install numba", "close the browser"]}
    monkeypatch.setattr("glassnet.runtime.machine.machine_report", lambda: report)
    lines = [line.split(maxsplit=1) for line in glassnet("doctor").out.splitlines()]
    assert [line[1] for line in lines if line[0] == "advice"] == ["install numba", "close the browser"]
    assert ["cores", "6, load 0.25"] in lines
    report |= {"load": None, "advice": []}
    lines = [line.split(maxsplit=1) for line in glassnet("doctor").out.splitlines()]
    assert [line[1] for line in lines if line[0] == "advice"] == ["none: nothing here costs speed"]
    assert ["cores", "6"] in lines


@pytest.fixture
def home(tmp_path):
    """A folder with the file names of Fashion-MNIST."""
    folder = tmp_path / "home" / "fashion-mnist"
    folder.mkdir(parents=True)
    for name in DATASETS["fashion-mnist"].source.files:
        (folder / name).write_bytes(b"")
    return tmp_path / "home"


def test_the_data_at_hand_are_found(glassnet, home):
    record = glassnet("doctor", "--data-dir", home, "--json").json
    assert list(record["data"]) == list(DATASETS)
    assert record["data"]["fashion-mnist"] == f"{home}/fashion-mnist"
    assert (record["data"]["digits"], record["data"]["pathmnist"]) == ("in scikit-learn", None)
    assert record["cores"] >= 1
    assert record["gemm_gflops"]["1"] > 0


def test_the_table_names_the_data_at_hand_and_says_where_the_others_are_listed(glassnet, home):
    lines = glassnet("doctor", "--data-dir", home).out.splitlines()
    named = [line.split(maxsplit=2)[1:] for line in lines if line.startswith("data: ")]
    assert named == [["fashion-mnist", f"{home}/fashion-mnist"], ["others", "glassnet data list"]]


def test_a_folder_that_is_none_is_refused(glassnet, tmp_path):
    answer = glassnet("doctor", "--data-dir", tmp_path / "nowhere")
    assert answer.code == 1
    assert answer.err.count("\n") == 1
    assert "nowhere" in answer.err
