"""How dark the rows of a data set are drawn, where they are pictures."""

from __future__ import annotations

import numpy as np

from glassnet.data.array_schema import ArraySchema
from glassnet.data.schema import Schema
from glassnet.nn.activations import Array


def full_of(images: Array, schema: Schema) -> float:
    """Return what is black, in colour full: 255 of bytes, the white of 16 bits, else the largest number."""
    if images.dtype == np.uint8:
        return 255.0
    white = schema.input.white if isinstance(schema.input, ArraySchema) else 1.0
    return white if white > 1 else float(images.max(initial=0)) or 1.0
