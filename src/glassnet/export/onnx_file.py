"""A file of ONNX: written where the package is there, and run on rows by ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from glassnet.data.array_schema import ArraySchema
from glassnet.errors import UsageError
from glassnet.export.plain_rows import read_plainly
from glassnet.export.portable import PortableModel
from glassnet.export.running import NotRunError, Results, Written
from glassnet.export.trial import Trial

#: What ONNX Runtime calls the types of arrays that go in.
TYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(uint8)": np.uint8}


#: What gets the packages.
REMEDY = "pip install 'glassnet[onnx]'"


def write_onnx_file(model: PortableModel, name: str) -> Written:
    """Return a file of ONNX; `UsageError` is raised where the package onnx is missing."""
    try:
        from glassnet.export.onnx_model import write_onnx
    except ModuleNotFoundError as error:
        raise UsageError("to", f"onnx needs {error.name}, which is not installed: {REMEDY}") from None
    return Written(write_onnx(model, name).SerializeToString())


def run_onnx(path: Path, trial: Trial) -> Results:
    """Have ONNX Runtime answer the rows of a trial."""
    try:
        import onnxruntime
    except ImportError:
        raise NotRunError(f"ONNX Runtime is not installed: {REMEDY}") from None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    inputs: dict[str, Any] = {}
    if isinstance(trial.model.input, ArraySchema):
        X = np.asarray(trial.rows, TYPES[session.get_inputs()[0].type])
        inputs["X"] = X.reshape(len(X), *trial.model.input.shape)
    else:
        columns = read_plainly(trial.model.input, trial.rows).values()
        inputs = {one.name: values[:, None] for one, values in zip(session.get_inputs(), columns, strict=True)}
    found = dict(zip([one.name for one in session.get_outputs()], session.run(None, inputs), strict=True))
    label = found.pop("label").tolist()
    outputs = next(iter(found.values()), None)
    return Results(outputs if outputs is None else outputs[:, -trial.outputs.shape[1] :], label)
