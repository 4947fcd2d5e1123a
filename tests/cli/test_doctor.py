import pytest

from glassnet.data.registry import DATASETS
from glassnet.data.unpacked import unpacked_folder
from glassnet.runtime.compilation import cache_folder
from glassnet.runtime.machine import machine_report
from glassnet.training.preparation import Preparation


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


def test_it_says_what_is_kept_unpacked(glassnet):
    folder = unpacked_folder()
    folder.mkdir(parents=True)
    (folder / "one.npy").write_bytes(b"0" * 1_234_567)
    lines = [line.split(maxsplit=2) for line in glassnet("doctor").out.splitlines()]
    assert ["unpacked", "data", f"{folder}, 1.2 MB"] in lines
    assert glassnet("doctor", "--json").json["unpacked_data"] == {"folder": str(folder), "bytes": 1_234_567}


def test_what_was_compiled_ahead_is_told_with_its_progress(glassnet, monkeypatch):
    def prepare(tell):
        if tell is not None:
            tell("compiling for every training")
        return Preparation(compiled=31, there=2, seconds=12.34, bytes=1_500_000)

    monkeypatch.setattr("glassnet.training.preparation.prepare", prepare)
    answer = glassnet("doctor", "--prepare")
    assert answer.err == "glassnet: compiling for every training\n"
    place = str(cache_folder())
    assert [" ".join(line.split()) for line in answer.out.splitlines()] == [
        "compiled 31 functions in 12.3 s; 2 were there",
        f"compiled code {place}, 1.5 MB",
    ]
    answer = glassnet("doctor", "--prepare", "--quiet", "--json")
    assert answer.err == ""
    record = {"compiled": 31, "there": 2, "seconds": 12.34, "bytes": 1_500_000, "compiled_code": place}
    assert answer.json == record
    refused = glassnet("doctor", "--prepare", "--data-dir", ".")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("glassnet: --data-dir: ")


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
