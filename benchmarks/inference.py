"""Microseconds of a prediction: glassnet beside JAX, PyTorch, ONNX Runtime and scikit-learn.

    make bench        (or: python benchmarks/inference.py [--rounds 7])

The same weights in every system, the same rows, probabilities out; in turn in one process. JAX and PyTorch get
their rows in their own kind of array, the others in NumPy's. Each is called for some seconds before: JAX compiles
at the first call, glassnet after half a second of products. Writes results/inference.json and .md.
"""

import argparse
import statistics
import time
from functools import partial

import machine

machine.free_choice()

import numpy as np
from contestants import torch_network
from results import number, table, write
from turns import PAUSE, prepare, ratios
from workloads import USUAL, Data

import glassnet as gn
from glassnet.data.schema import Schema
from glassnet.training.model import Model

#: Layers, rows of a call, and calls of a round.
CASES = [([784, 28, 10], 1, 300), (USUAL.layers, 1, 300), (USUAL.layers, 256, 60), (USUAL.layers, 10_000, 5)]

#: Seconds in which a contestant is called before it is measured.
WARM_UP = 4


def glassnet_call(network, X):
    """`Network.predict_proba`, its check of X included."""
    return lambda: network.predict_proba(X)


def model_call(network, X):
    """`Model.predict_proba`, which also compares X with the rows of training."""
    rows = np.resize(X, (20, X.shape[1]))
    model = Model(network, Schema.learn(rows, np.arange(20) % 10))
    return lambda: model.predict_proba(X)


def jax_call(network, X):
    """JAX: compiled, rows on its device, waited for."""
    import jax
    import jax.numpy as jnp
    from jax_peer import logits

    theta = [(jnp.asarray(W), jnp.asarray(b)) for W, b in zip(network.W, network.b, strict=True)]
    compiled, X = jax.jit(lambda theta, X: jax.nn.softmax(logits(theta, X))), jnp.asarray(X)
    return lambda: jax.block_until_ready(compiled(theta, X))


def torch_call(network, X):
    """PyTorch: in inference mode."""
    import torch

    torch.set_num_threads(machine.CORES)
    model, X = torch.nn.Sequential(torch_network(network.layers), torch.nn.Softmax(dim=1)), torch.from_numpy(X)
    linear = [module for module in model.modules() if isinstance(module, torch.nn.Linear)]
    with torch.no_grad():
        for module, W, b in zip(linear, network.W, network.b, strict=True):
            module.weight.copy_(torch.from_numpy(W.T.copy()))
            module.bias.copy_(torch.from_numpy(b.copy()))

    def call():
        with torch.inference_mode():
            return model(X)

    return call


def onnx_call(network, X):
    """ONNX Runtime: a graph of Gemm, Relu and Softmax."""
    import onnxruntime

    session = onnxruntime.InferenceSession(onnx_model(network), providers=["CPUExecutionProvider"])
    rows = {"X": X}
    return lambda: session.run(None, rows)[0]


def onnx_model(network):
    """Return the network as the bytes of an ONNX file."""
    from onnx import TensorProto, helper, numpy_helper

    nodes, constants, H = [], [], "X"
    for i, (W, b) in enumerate(zip(network.W, network.b, strict=True)):
        constants += [numpy_helper.from_array(W, f"W{i}"), numpy_helper.from_array(b, f"b{i}")]
        nodes.append(helper.make_node("Gemm", [H, f"W{i}", f"b{i}"], [f"Z{i}"]))
        H = f"H{i}"
        nodes.append(helper.make_node("Relu", [f"Z{i}"], [H]))
    nodes[-1] = helper.make_node("Softmax", nodes[-1].input, ["P"], axis=1)
    ends = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, width])]
        for name, width in (("X", network.layers[0]), ("P", network.layers[-1]))
    ]
    graph = helper.make_graph(nodes, "network", *ends, initializer=constants)
    opset = helper.make_opsetid("", 17)
    return helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString()


def sklearn_call(network, X):
    """scikit-learn: `predict_proba` of a classifier that was given the weights."""
    from sklearn.neural_network import MLPClassifier

    labels = np.arange(network.layers[-1])
    classifier = MLPClassifier(network.layers[1:-1]).partial_fit(
        X[:1].repeat(len(labels), axis=0), labels, classes=labels
    )
    classifier.coefs_, classifier.intercepts_ = list(network.W), list(network.b)
    return lambda: classifier.predict_proba(X)


CONTESTANTS = {
    "glassnet": glassnet_call,
    "its Model": model_call,
    "JAX": jax_call,
    "PyTorch": torch_call,
    "ONNX Runtime": onnx_call,
    "scikit-learn": sklearn_call,
}


def measure(network, X, calls, rounds):
    """Return the times of predicting these rows."""
    ready, failed = prepare({name: partial(build, network, X) for name, build in CONTESTANTS.items()})
    expected = network.outputs(X)
    difference = max(float(np.abs(np.asarray(call()) - expected).max()) for call in ready.values())
    if difference > 1e-4:
        raise SystemExit(f"the systems differ by {difference}: not the same network")
    for call in ready.values():
        ends = time.perf_counter() + WARM_UP
        while time.perf_counter() < ends:
            call()
    times = {name: [] for name in ready}
    for _ in range(rounds):
        for name, call in ready.items():
            times[name].append(round_of_calls(call, calls))
    middle = {name: statistics.median(values) for name, values in times.items()}
    print(f"{name_case(network.layers, len(X))}: {middle}", flush=True)
    values = {"layers": network.layers, "rows": len(X), "microseconds": times, "medians": middle}
    return values | {"ratios": ratios(middle), "largest_difference": difference, "failed": failed}


def name_case(layers, rows):
    """Return what is predicted, for people."""
    return f"{'-'.join(map(str, layers))}, {rows:,} row{'s' if rows > 1 else ''}"


def round_of_calls(call, calls):
    """Return the median of the microseconds of so many calls."""
    time.sleep(PAUSE)
    call()
    times = []
    for _ in range(calls):
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1e6)
    return statistics.median(times)


def main():
    """Read the options, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    load, X = machine.load(), Data().X
    rows = [measure(gn.Network(layers, seed=0), X[:size].copy(), calls, rounds) for layers, size, calls in CASES]
    heading = (
        f"Microseconds of a prediction (relu, softmax, float32): medians of {rounds} rounds in turn, the same "
        f"weights in every system. Load before: {load}."
    )
    names, times, shares = list(CONTESTANTS), [], []
    for row in rows:
        case = name_case(row["layers"], row["rows"])
        times.append([case, *(number(row["medians"].get(name), 0) for name in names)])
        shares.append([case, *(number(row["ratios"].get(name), 2) for name in names[1:])])
    tables = [table(["microseconds", *names], times), table(["glassnet's time over that of", *names[1:]], shares)]
    notes = [f"{name}: {reason}." for name, reason in rows[0]["failed"].items()]
    write("inference", heading, tables, {"load": load, "rounds": rounds, "measurements": rows}, notes)


if __name__ == "__main__":
    main()
