"""``glassnet explain``."""

import re

import numpy as np
import pytest
from tests.data.pictures import encoded, pixels, put

import glassnet as gn
from glassnet.graph.computation_graph import ComputationGraph
from glassnet.graph.example_network import example_network, example_sample


def facts_of(html):
    """What the head of a page says; of what can be chosen, what is."""
    head = html.partition('<dl class="facts">')[2].partition("</dl>")[0]
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", head)
    chosen = ((name, re.sub("<select.*selected>(.*?)<.*", r"\1", value)) for name, value in found)
    return {name: re.sub("<[^>]*>", "", value) for name, value in chosen}


def test_layers_make_a_page_of_a_network_with_short_numbers(glassnet, here):
    answer = glassnet("explain", "3,2,1")
    assert answer.code == 0
    assert answer.out.splitlines()[0].startswith("file         explain-3-2-1.html, ")
    facts = facts_of((here / "explain-3-2-1.html").read_text(encoding="utf-8"))
    network = example_network([3, 2, 1])
    X, y = example_sample(network)
    assert facts["activations"] == "sigmoid"
    assert facts["loss"] == f"half_squared_error = {ComputationGraph(network, X, y).loss:.4g}"
    assert (np.round(network.theta, 2) == network.theta).all()
    assert (np.round(X, 2) == X).all()
    assert network.activations[-1].name == "sigmoid"


def test_the_record_for_programs(glassnet, here):
    answer = glassnet("explain", "2,3,2", "--json", "--out", "page.html", "--input", "0.5,-1", "--target", 1)
    record = answer.json
    assert answer.err == ""
    network = example_network([2, 3, 2])
    graph = ComputationGraph(network, [[0.5, -1.0]], [1])
    assert record["file"] == "page.html"
    assert (record["layers"], record["level"], record["nodes"]) == ([2, 3, 2], "operations", len(graph.nodes))
    assert record["loss"] == graph.loss
    assert 0 <= record["graph_difference"] < 1e-12
    assert 0 < record["numerical_difference"] < 1e-7


def test_every_option_of_the_network_is_used(glassnet, here):
    arguments = ["--activation", "tanh", "--output-activation", "relu", "--loss", "half_squared_error(sum)"]
    glassnet("explain", "2,3,1", *arguments, "--output-scale", 2, "--seed", 5)
    facts = facts_of((here / "explain-2-3-1.html").read_text(encoding="utf-8"))
    options = {"output_activation": "relu", "loss": "half_squared_error(sum)", "output_scale": 2.0, "seed": 5}
    network = example_network([2, 3, 1], "tanh", **options)
    graph = ComputationGraph(network, *example_sample(network, 5))
    assert facts["activations"] == "tanh, relu"
    assert facts["loss"] == f"half_squared_error = {graph.loss:.4g}"
    assert network.output_scale == 2


def test_one_activation_a_layer(glassnet, here):
    glassnet("explain", "2,3,3,1", "--activation", "tanh,relu")
    html = (here / "explain-2-3-3-1.html").read_text(encoding="utf-8")
    assert facts_of(html)["activations"] == "tanh, relu"


def test_batch_normalisation_and_dropout_are_shown_as_in_training_with_several_rows(glassnet, here):
    arguments = ["explain", "3,2,1", "--batch-norm", "--dropout", 0.5, "--overwrite", "--json"]
    network = example_network([3, 2, 1], batch_norm=True, dropout=0.5)
    assert network.batch_norm == (True,)
    for given, n in (([], 4), (["--rows", 3], 3)):
        record = glassnet(*arguments, *given).json
        graph = ComputationGraph(network, *example_sample(network, n=n), training=True)
        assert (record["loss"], record["nodes"]) == (graph.loss, len(graph.nodes))
        assert record["graph_difference"] < 1e-12
        assert record["numerical_difference"] < 1e-7
        html = (here / "explain-3-2-1.html").read_text(encoding="utf-8")
        assert facts_of(html)["rows"] == f"{n}, here the first"


@pytest.mark.parametrize("given", [["--rows", 1], ["--input", "0.5,-1,2", "--target", "1"]], ids=str)
def test_one_row_is_shown_as_in_prediction(glassnet, here, given):
    record = glassnet("explain", "3,2,1", "--batch-norm", "--dropout", 0.5, *given, "--json").json
    network = example_network([3, 2, 1], batch_norm=True, dropout=0.5)
    X, y = example_sample(network) if "--rows" in given else ([[0.5, -1, 2]], [1.0])
    assert record["loss"] == ComputationGraph(network, X, y, training=False).loss
    html = (here / "explain-3-2-1.html").read_text(encoding="utf-8")
    assert "as in prediction" in html
    assert "rows" not in facts_of(html)


def test_rows_of_a_network_without_either_are_explained(glassnet, here):
    record = glassnet("explain", "3,2,1", "--rows", 5, "--json").json
    network = example_network([3, 2, 1])
    assert record["loss"] == ComputationGraph(network, *example_sample(network, n=5)).loss


def test_rows_of_a_run(glassnet, run_folder, here):
    record = glassnet("explain", "run", "--sample", 18, "--rows", 3, "--json").json
    rows = gn.load_dataset("digits").encoded.test
    network = gn.load_model(run_folder).network
    assert record["loss"] == ComputationGraph(network, rows.X[17:20], rows.y[17:20]).loss


def test_a_row_of_a_run(glassnet, run_folder, here):
    record = glassnet("explain", "run", "--sample", 18, "--json").json
    rows = gn.load_dataset("digits").encoded.test
    network = gn.load_model(run_folder).network
    assert record["file"] == "explain-run-test-18.html"
    assert record["loss"] == ComputationGraph(network, rows.X[17:18], rows.y[17:18]).loss
    facts = facts_of((here / record["file"]).read_text(encoding="utf-8"))
    assert facts["sample"] == "row 18 of digits, test"
    assert facts["should say"] == str(rows.y[17])
    assert facts["says"].startswith(f"{network.predict(rows.X[17:18])[0]} (")


def test_another_split_and_a_model_file(glassnet, run_folder):
    record = glassnet("explain", "run/model.safetensors", "--split", "validation", "--sample", 4, "--json").json
    rows = gn.load_dataset("digits").encoded.validation
    assert record["loss"] == ComputationGraph(gn.load_model(run_folder).network, rows.X[3:4], rows.y[3:4]).loss


def test_a_sample_of_ones_own_needs_no_data(glassnet, run_folder):
    (run_folder / "config.toml").unlink()
    network, numbers = gn.load_model(run_folder).network, ",".join(["8"] * 64)
    halves = np.full((1, 64), 0.5)  # 16 is white
    record = glassnet("explain", "run", "--input", numbers, "--target", 7, "--json").json
    assert record["loss"] == ComputationGraph(network, halves, [7]).loss
    answer = glassnet("explain", "run", "--input", numbers, "--json", "--overwrite")
    assert answer.json["loss"] == ComputationGraph(network, halves, network.predict(halves)).loss
    assert answer.err.splitlines()[0].endswith("no answer is given, so that the loss is that of the network's own")
    answer = glassnet("explain", "run", "--input", numbers, "--target", "boot")
    assert answer.code == 2
    assert answer.error.startswith("--target: target: row 1 (y[0]) is 'boot', which training did not have")
    answer = glassnet("explain", "run", "--target", 7)
    assert (answer.code, answer.error) == (2, "--input: goes with --target: give both, or neither")


def test_a_row_of_a_file_is_explained_with_its_answer(glassnet, run_folder, here):
    X, y = gn.load_dataset("digits").test
    np.savez(here / "rows.npz", X=X[:20], y=y[:20])
    network = gn.load_model(run_folder).network
    record = glassnet("explain", "run", "--input", "rows.npz", "--sample", 5, "--json").json
    assert record["loss"] == ComputationGraph(network, X[4:5] / 16, y[4:5]).loss
    answer = glassnet("explain", "run", "--input", "rows.npz", "--sample", 21)
    assert (answer.code, answer.error) == (2, "--sample: must be a row of rows.npz, 1 to 20")


@pytest.mark.parametrize(
    ("arguments", "level", "nodes"),
    [
        (["--level", "neurons"], "neurons", 318),
        (["--level", "matrices"], "matrices", 18),
        (["--neuron", "2:5"], "operations", 38),
        (["--path", "300,17,5,9"], "operations", 40),
        (["--path", "strongest"], "operations", 40),
    ],
)
@pytest.mark.parametrize("suffix", ["html", "svg"])
def test_what_is_shown_of_a_large_network(glassnet, here, arguments, level, nodes, suffix):
    record = glassnet("explain", "784,256,128,10", *arguments, "--out", f"x.{suffix}", "--json").json
    assert (record["level"], record["nodes"]) == (level, nodes)
    text = (here / f"x.{suffix}").read_text(encoding="utf-8")
    if suffix == "html":
        assert re.search(r'data-level="(\w+)" data-chosen', text)[1] == level
    else:
        assert text.startswith("<svg")


def sample_in(file):
    """Return the pixels of the sample's picture in a page."""
    return pixels(re.search(r'<img src="([^"]*)" alt="The sample"', file.read_text(encoding="utf-8"))[1])


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_is_shown_as_the_user_has_it(glassnet, here, channels):
    pictures = np.random.default_rng(0).integers(0, 256, (24, 5, 4, channels)).astype(np.uint8)
    for row, picture in enumerate(pictures):
        put(here / "pets", {f"{'ab'[row % 2]}/{row:02}.png": encoded(picture.squeeze())})
    glassnet(
        "train",
        "pets",
        "--layers",
        f"{20 * channels},3,2",
        "--scaling",
        "standard",
        "--epochs",
        1,
        "--run-dir",
        "run",
    )
    shown = pictures[1] if channels == 3 else 255 - np.repeat(pictures[1], 3, axis=2)  # ink on white
    assert glassnet("explain", "run", "--input", "pets/b/01.png", "--out", "page.html").code == 0
    assert (sample_in(here / "page.html") == shown).all()
    assert glassnet("explain", "run", "--sample", 1, "--out", "row.html").code == 0
    row = sample_in(here / "row.html")
    assert any((row == (one if channels == 3 else 255 - one)).all() for one in pictures)


def test_pictures(glassnet, here):
    glassnet("explain", "3,2,1", "--out", "graph.png")
    assert (here / "graph.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_a_file_that_is_there_is_kept(glassnet, here):
    (here / "explain-3-2-1.html").write_text("mine")
    answer = glassnet("explain", "3,2,1")
    assert answer.code == 1
    assert "explain-3-2-1.html: is already there" in answer.error
    assert (here / "explain-3-2-1.html").read_text() == "mine"
    assert glassnet("explain", "3,2,1", "--overwrite").code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["3"], "NETWORK: needs two or more whole numbers > 0"),
        (["0,3"], "NETWORK: needs two or more whole numbers > 0"),
        (["3;2;1"], "NETWORK: '3;2;1' is neither layers, as in 3,2,1, nor a run folder"),
        (["nowhere"], "NETWORK: 'nowhere' is neither layers, as in 3,2,1, nor a run folder"),
        (["3,2,1", "--activation", "rellu"], "--activation: unknown name 'rellu'; did you mean 'relu'?"),
        (["3,2,1", "--loss", "cross_entropy"], "--loss: cross_entropy over a single output"),
        (["3,2,1", "--seed", -1], "--seed: must be a whole number >= 0"),
        (["3,2,1", "--input", "1,2"], "--input: the data have 2 columns, the first layer has 3 units"),
        (["3,2,1", "--input", "1,2,x"], "--input: must be numbers with commas between them"),
        (["3,2,1", "--input", "1,2,nan"], "--input: row 1 (X[0]), column 3 holds nan"),
        (["3,2,1", "--target", "1,2"], "--target: the network has 1 outputs a row"),
        (["3,2,2", "--target", "5"], "--target: row 1 (y[0]) has the label 5, outside the classes 0..1"),
        (["3,2,2", "--target", "0.5"], "--target: must be a class, 0 to 1, got 0.5"),
        (["3,2,1", "--level", "layers"], "--level: must be operations, neurons or matrices, got 'layers'"),
        (["40,40", "--level", "operations"], "--level: operations would draw 1,600 multipliers"),
        (["3,2,1", "--level", "neurons", "--neuron", "1:0"], "--level: goes alone"),
        (["3,2,1", "--neuron", "1"], "--neuron: must be a layer and a unit, as in 2:5, got '1'"),
        (["3,2,1", "--neuron", "3:0"], "--neuron: layer 3 does not exist; the layers with neurons are 1 to 2"),
        (["3,2,1", "--neuron", "1:2"], "--neuron: layer 1 has no unit 2; its units are 0 to 1"),
        (["3,2,1", "--path", "0,1"], "--path: needs one unit for each of the 3 layers, got 2"),
        (["3,2,1", "--path", "weakest"], "--path: must be units, as in 300,17,4, or strongest, got 'weakest'"),
        (["3,2,1", "--path", "0,5,0"], "--path: layer 1 has no unit 5; its units are 0 to 1"),
        (["3,2,1", "--out", "graph.jpg"], "--out: must end in .html, .svg, .pdf or .png, got 'graph.jpg'"),
        (["3,2,1", "--sample", "x"], "--sample"),
        (["3,2,1", "--rows", 0], "--rows: must be a whole number > 0, got 0"),
        (["3,2,1", "--rows", 2, "--input", "1,2,3"], "--rows: --input is one row; leave one of the two out"),
        (["3,2,1", "--rows", 2, "--target", "1"], "--target: is of one row, and there are 2; add --rows 1"),
        (["3,2,1", "--batch-norm", "--target", "1"], "--target: is of one row, and there are 4; add --rows 1"),
        (["3,2,1", "--dropout", 1], "--dropout: give a share in [0, 1)"),
    ],
)
def test_wrong_usage_is_named_and_leaves_nothing(glassnet, here, arguments, message):
    answer = glassnet("explain", *arguments)
    assert answer.code == 2
    assert message in answer.error
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sample", 360], "--sample: must be a row of the test split, 1 to 359"),
        (["--sample", 0], "--sample: must be a row of the test split, 1 to 359"),
        (["--sample", 358, "--rows", 3], "--rows: from row 358 the test split has 2"),
        (["--batch-norm"], "--batch-norm: goes with layers; a run has its own"),
        (["--seed", 3], "--seed: goes with layers; a run has its own"),
        (["--activation", "tanh"], "--activation: goes with layers; a run has its own"),
    ],
)
def test_wrong_usage_of_a_run(glassnet, run_folder, arguments, message):
    answer = glassnet("explain", "run", *arguments)
    assert (answer.code, answer.error) == (2, message)


def test_a_damaged_run_is_named_by_its_file(glassnet, run_folder):
    (run_folder / "model.safetensors").write_bytes(b"no model")
    answer = glassnet("explain", "run")
    assert answer.code == 1
    assert answer.error.startswith("run/model.safetensors: is damaged")


def test_a_folder_that_is_not_there(glassnet, here):
    answer = glassnet("explain", "3,2,1", "--out", "nothing/page.html")
    assert answer.code == 1
    assert answer.error.startswith("nothing/page.html: cannot be written: No such file or directory")


def test_a_network_that_overflows_is_named(glassnet, here):
    answer = glassnet("explain", "3,2,1", "--activation", "relu3", "--input", "1e300,1e300,1e300")
    assert (answer.code, answer.error) == (1, "h1[0] became NaN or infinite")
    assert list(here.iterdir()) == []


def test_numbers_that_the_textbook_form_cannot_take_are_explained_by_the_stable_one(glassnet, run_folder):
    gn.save_model(gn.load_model(run_folder).network, "bare.safetensors")  # it takes a network's own numbers
    answer = glassnet("explain", "bare.safetensors", "--input", ",".join(["1e5"] * 64), "--target", 7)
    assert (answer.code, answer.err) == (0, "")


def test_the_same_command_writes_the_same_file(glassnet, here):
    glassnet("explain", "3,2,1", "--out", "one.html")
    glassnet("explain", "3,2,1", "--out", "two.html")
    assert (here / "one.html").read_bytes() == (here / "two.html").read_bytes()


def test_a_run_of_a_table_is_explained_in_its_own_words(glassnet, here):
    lines = [
        "age,colour,kind",
        *(f"{20 + k},{'red' if k % 2 else 'blue'},{'a' if k < 20 else 'b'}" for k in range(40)),
    ]
    (here / "rows.csv").write_text("\n".join(lines))
    options = ["--epochs", 1, "--layers", "3,2,2", "--kernels", "numpy", "--run-dir", "run"]
    assert glassnet("train", "rows.csv", "--target", "kind", *options).code == 0
    assert glassnet("explain", "run", "--sample", 2, "--split", "train", "--out", "page.html").code == 0
    html = (here / "page.html").read_text(encoding="utf-8")
    assert {"age", "colour=blue", "colour=red"} <= set(re.findall(r'class="faint"[^>]*>([^<]+)<', html))
    assert re.search(r"<span>age = \d+</span>, <span>colour = (?:red|blue)</span>", html)
    assert re.search(r"<option value=\"0\"[^>]*>a</option><option value=\"1\"[^>]*>b</option>", html)
