import json


def test_it_says_what_the_machine_has(glassnet, monkeypatch):
    monkeypatch.delenv("GLASSNET_DATA", raising=False)
    answer = glassnet("doctor")
    assert (answer.code, answer.err) == (0, "")
    for word in (
        "processor",
        "cores",
        "GFLOP/s",
        "kernels",
        "data: fashion-mnist  not here",
        "versions",
        "advice",
    ):
        assert word in answer.out


def test_the_data_at_hand_are_found(glassnet, fashion_mnist_home):
    record = json.loads(glassnet("doctor", "--data-dir", fashion_mnist_home, "--json").out)
    assert record["data"] == {
        "digits": "in scikit-learn",
        "fashion-mnist": f"{fashion_mnist_home}/fashion-mnist",
    }
    assert record["cores"] >= 1
    assert record["gemm_gflops"]["1"] > 0


def test_a_folder_that_is_none_is_refused(glassnet, tmp_path):
    answer = glassnet("doctor", "--data-dir", tmp_path / "nowhere")
    assert answer.code == 1
    assert answer.err.count("\n") == 1
    assert "nowhere" in answer.err
