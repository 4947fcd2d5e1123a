"""A file of ONNX, run on rows by ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from glassnet.data.array_schema import ArraySchema
from glassnet.export.plain_rows import read_plainly
from glassnet.export.portable import PortableModel
from glassnet.export.running import NotRunError, Results
from glassnet.export.trial import Trial

#: What ONNX Runtime calls the types of arrays that go in.
TYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(uint8)": np.uint8}


def run_onnx(path: Path, model: PortableModel, trial: Trial) -> Results:
    """Have ONNX Runtime answer the rows of a trial."""
    try:
        import onnxruntime
    except ImportError:
        raise NotRunError("ONNX Runtime is not installed: pip install 'glassnet[onnx]'") from None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    inputs: dict[str, Any] = {}
    if isinstance(model.input, ArraySchema):
        X = np.asarray(trial.rows, TYPES[session.get_inputs()[0].type])
        inputs["X"] = X.reshape(len(X), *model.input.shape)
    else:
        columns = read_plainly(model.input, trial.rows).values()
        inputs = {one.name: values[:, None] for one, values in zip(session.get_inputs(), columns, strict=True)}
    found = dict(zip([one.name for one in session.get_outputs()], session.run(None, inputs), strict=True))
    label = found.pop("label").tolist()
    outputs = next(iter(found.values()), None)
    return Results(outputs if outputs is None else outputs[:, -len(model.layers[-1].b) :], label)
