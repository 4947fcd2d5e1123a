"""Predictions as a table."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from glassnet.nn.activations import Array
from glassnet.nn.network import Network
from glassnet.nn.targets import decode

if TYPE_CHECKING:
    from glassnet.data.columns import TableEncoder


def predictions(network: Network, X: Array, encoder: TableEncoder | None = None) -> list[dict[str, Any]]:
    """Return one record a row.

    Parameters
    ----------
    network : Network
        Trained.
    X : ndarray of shape (n, d_0) or (n, ...) with d_0 numbers a row
        The rows.
    encoder : TableEncoder, optional
        Gives a table's target back in its own units.

    Returns
    -------
    list of dict
        With classes: row, label, class, and the probability of that class where the network gives one. Without:
        row and output_0, output_1, ...

    Examples
    --------
    >>> import numpy as np
    >>> network = Network([2, 2], initializer="zeros", class_names=["left", "right"])
    >>> predictions(network, np.array([[1.0, 0.0]]))
    [{'row': 0, 'label': 0, 'class': 'left', 'probability': 0.5}]
    """
    outputs = network.outputs(X)
    if network.n_classes is None:
        if encoder is not None and encoder.target is not None:
            outputs = encoder.decode_target(outputs[:, 0])[:, None]
            return [{"row": row, encoder.target.name: float(value)} for row, (value,) in enumerate(outputs)]
        return [
            {"row": row, **{f"output_{unit}": float(value) for unit, value in enumerate(values)}}
            for row, values in enumerate(outputs)
        ]
    labels = decode(outputs, network.n_classes)
    names = network.class_names or [str(label) for label in range(network.n_classes)]
    table: list[dict[str, Any]] = [
        {"row": row, "label": int(label), "class": names[label]} for row, label in enumerate(labels)
    ]
    if network.loss.output is not None:
        for record, values in zip(table, outputs, strict=True):
            share = values[record["label"]] if len(values) > 1 else values[0]
            record["probability"] = round(float(share if len(values) > 1 or record["label"] else 1 - share), 6)
    return table


def to_csv(table: list[dict[str, Any]]) -> str:
    """Return records as CSV with a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(table[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return text.getvalue()
