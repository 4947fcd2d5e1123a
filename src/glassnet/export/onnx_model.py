"""A model as ONNX, for ONNX Runtime and all else that reads it: the schema included, rows in, answers out.

What goes in has the names of the table's columns, or is ``X``. ``label`` comes out, and ``probabilities``.
"""

from __future__ import annotations

import json
from importlib import metadata
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, ValueInfoProto, checker, helper, shape_inference

from glassnet.compiled.tracing import evaluate
from glassnet.data.array_schema import ArraySchema
from glassnet.data.target_classes import as_array
from glassnet.export.onnx_graph import GraphWriter
from glassnet.export.onnx_rows import ML_DOMAIN, describe_inputs, encode_array, encode_table
from glassnet.export.portable import Answer, Formula, PortableModel
from glassnet.nn.activations import Array

#: Versions of ONNX's operators and of its files, which runtimes since 2022 read.
OPSET, ML_OPSET, IR_VERSION = 17, 3, 8

#: What the outputs of the graph are called.
LABEL, PROBABILITIES, OUTPUTS = "label", "probabilities", "outputs"


def write_onnx(model: PortableModel, name: str) -> ModelProto:
    """Return a model in ONNX, checked by ONNX's own checker; `name` is that of the graph."""
    outputs = _describe_outputs(model)
    inputs = describe_inputs(model, [one.name for one in outputs])
    graph = GraphWriter([*(one.name for one in inputs), *(one.name for one in outputs)], model.dtype)
    if isinstance(model.input, ArraySchema):
        h, order = encode_array(graph, model.input)
    else:
        h, order = encode_table(graph, model.input, [one.name for one in inputs])
    if model.rounds_input and model.dtype == "float64":
        h = graph.cast(h, np.float64, "float64")
    features = h
    for number, layer in enumerate(model.layers, start=1):
        W = layer.W[order] if number == 1 else layer.W
        weights = graph.constant(f"layer{number}.W", W.astype(model.dtype))
        biases = graph.constant(f"layer{number}.b", layer.b.astype(model.dtype))
        z = graph.node("Gemm", [h, weights, biases], f"layer{number}.z")
        h = graph.formula(layer.activation, z, f"layer{number}.{layer.activation.name}")
    if not all(map(_keeps_nan, model.formulas)):
        nothing = graph.node("Mul", [features, graph.number(0)], "nothing")
        lacking = graph.node("ReduceSum", [nothing, graph.constant("columns", np.array([1]))], "lacking")
        h = graph.node("Add", [h, lacking], "answerable")
    if model.output_scale != 1:
        h = graph.node("Mul", [h, graph.number(model.output_scale)], "scaled_output")
    _write_answer(graph, model, h)
    described = helper.make_graph(graph.nodes, name, inputs, outputs, graph.constants, _describe(model))
    versions = [helper.make_opsetid("", OPSET), helper.make_opsetid(ML_DOMAIN, ML_OPSET)]
    proto = helper.make_model(
        described,
        opset_imports=versions,
        ir_version=IR_VERSION,
        producer_name="glassnet",
        producer_version=metadata.version("glassnet"),
        doc_string=_describe(model),
    )
    helper.set_model_props(proto, _list_properties(model))
    proto = shape_inference.infer_shapes(proto, strict_mode=True, data_prop=True)
    checker.check_model(proto, full_check=True)
    return proto


def _keeps_nan(formula: Formula) -> bool:
    """Whether a formula of NaN is NaN: else a row that lacks a number would be answered like any other."""
    with np.errstate(all="ignore"):
        return bool(np.isnan(evaluate(formula.symbol, {"z": np.array([np.nan])})).all())


def _describe_outputs(model: PortableModel) -> list[ValueInfoProto]:
    """Return what comes out of the graph."""
    answer, width = model.answer, len(model.layers[-1].b)
    if answer.kind == "numbers":
        names = ", ".join(answer.names)
        said = f"numbers in the units of training{names and ': '}{names}"
        shape: list[Any] = ["rows"] if answer.flat else ["rows", width]
        outputs = [helper.make_tensor_value_info(LABEL, TensorProto.DOUBLE, shape, said)]
    else:
        classes = _class_array(model).dtype
        element = TensorProto.STRING if classes.kind in "UO" else helper.np_dtype_to_tensor_dtype(classes)
        shape = ["rows"] if answer.kind == "class" else ["rows", width]
        outputs = [helper.make_tensor_value_info(LABEL, element, shape, "the class, as it was in training")]
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(model.dtype))
    if model.has_probabilities:
        said, columns = "the probability of each class", max(2, width)
        outputs.append(helper.make_tensor_value_info(PROBABILITIES, kind, ["rows", columns], said))
    elif answer.kind != "numbers":
        said = "what the network says of the classes; no probabilities"
        outputs.append(helper.make_tensor_value_info(OUTPUTS, kind, ["rows", width], said))
    return outputs


def _class_array(model: PortableModel) -> Array:
    """Return the classes as an array; whole numbers as int64."""
    classes = as_array(model.answer.classes)
    return classes.astype(np.int64) if classes.dtype.kind in "iu" else classes


def _write_answer(graph: GraphWriter, model: PortableModel, h: str) -> None:
    """Add what makes probabilities and the answer of the last layer's numbers."""
    answer, single = model.answer, len(model.layers[-1].b) == 1
    if model.output == "softmax":
        graph.result("Softmax", [h], PROBABILITIES, axis=1)
        h = PROBABILITIES
    elif model.output == "sigmoid" and single:
        h = graph.node("Sigmoid", [h], "probability")
        other = graph.node("Sub", [graph.number(1), h], "other_probability")
        graph.result("Concat", [other, h], PROBABILITIES, axis=1)
    elif model.output == "sigmoid":
        graph.result("Sigmoid", [h], PROBABILITIES)
        h = PROBABILITIES
    elif answer.kind != "numbers":
        graph.result("Identity", [h], OUTPUTS)
    if answer.kind == "numbers":
        _write_numbers(graph, answer, h)
        return
    if answer.kind == "labels":
        place = graph.node("GreaterOrEqual", [h, graph.number(0.5)], "is_there")
        place = graph.node("Cast", [place], "place", to=TensorProto.INT64)
    elif single:
        h = graph.node("Squeeze", [h, graph.constant("columns", np.array([1]))], "flat")
        bounds = [graph.number(bound) for bound in (0, len(answer.classes) - 1)]
        nearest = graph.node("Clip", [graph.node("Round", [h], "rounded"), *bounds], "nearest")
        place = graph.node("Cast", [nearest], "place", to=TensorProto.INT64)
    else:
        place = graph.node("ArgMax", [h], "place", axis=1, keepdims=0)
    graph.result("Gather", [graph.constant("classes", _class_array(model)), place], LABEL)


def _write_numbers(graph: GraphWriter, answer: Answer, h: str) -> None:
    """Add what brings outputs back to the units of training, in float64."""
    if answer.flat:
        h = graph.node("Squeeze", [h, graph.constant("columns", np.array([1]))], "flat")
    wide = graph.node("Cast", [h], "float64", to=TensorProto.DOUBLE)
    times_std = graph.node("Mul", [wide, graph.constant("std", np.array(answer.std))], "times_std")
    graph.result("Add", [times_std, graph.constant("mean", np.array(answer.mean))], LABEL)


def _describe(model: PortableModel) -> str:
    """Say in a few words what the model is."""
    layers = [len(model.layers[0].W), *(len(layer.b) for layer in model.layers)]
    names = ", ".join(layer.activation.name for layer in model.layers[:-1])
    return f"Multilayer perceptron {layers}{names and ', activations: '}{names}, written by glassnet"


def _list_properties(model: PortableModel) -> dict[str, str]:
    """Return what a reader of the file is told beside the graph."""
    answer = model.answer
    lists = {"classes": answer.classes, "class_names": answer.class_names, "target_names": answer.names}
    found = {name: json.dumps(values, ensure_ascii=False) for name, values in lists.items() if values}
    return {**found, "answer": answer.kind, "multiply_adds": str(model.multiply_adds)}
