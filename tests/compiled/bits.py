"""Small trainings whose bits are the same on every processor, and a hash of the bits of each.

Their numbers are drawn and made by whole numbers, sums, products, quotients and roots alone. `bits.json` has the
hashes that CI compares with. After a change that is meant to change bits, write it anew:

    python -m tests.compiled.bits > tests/compiled/bits.json
"""

import hashlib
import json
import sys
from typing import NamedTuple

import numpy as np

from glassnet.compiled.program import Program
from glassnet.data.augmentation import Augmentation
from glassnet.nn.network import Network
from glassnet.nn.optimizers import OPTIMIZERS
from glassnet.nn.update import Update

FIRST, SECOND = ["identity", "sigmoid", "tanh", "relu", "relu3"], ["leaky_relu", "elu", "gelu", "silu", "softplus"]
WIDTHS = [70, 33, 17, 40, 9]


class Case(NamedTuple):
    """A training: what is passed to `Network`, to `Update`, and how rows are taken."""

    network: dict
    update: dict
    optimizer: str = "adam"
    dtype: str = "float32"
    activations: list = FIRST
    batch_size: int = 23
    shares: int = 2
    moved: bool = False
    loss: str = "cross_entropy"


NORMALISED, DROPPED = {"batch_norm": [True, False, True, False, False]}, {"dropout": [0.1, 0.3, 0, 0.2, 0, 0.4]}
MAX_NORM = {"max_norm": 0.6}
DOUBLE = {
    "optimizer": "momentum", "dtype": "float64", "activations": SECOND, "loss": "binary_cross_entropy(sum)",
}  # fmt: skip

#: The first ones need two sets of formulas, which other tests need as well; they are trained every day.
CASES = {
    "plain": Case({}, {}),
    "dropout": Case(DROPPED, {}),
    "batch norm": Case(NORMALISED, {}),
    "clipped": Case({}, {"clip_norm": 0.05}),
    "max-norm": Case({}, MAX_NORM),
    "all of it": Case(NORMALISED | DROPPED, {"clip_norm": 0.1} | MAX_NORM),
    "moved images": Case(DROPPED, {}, moved=True),
    "one row": Case({}, {}, batch_size=1),
    "all rows": Case({}, {}, batch_size=97),
    "one share": Case({}, {}, shares=1),
    "five shares": Case(DROPPED, {}, shares=5),
    "double": Case({}, {}, **DOUBLE),
    "double, dropout": Case(DROPPED, {}, **DOUBLE),
    "double, batch norm": Case(NORMALISED, MAX_NORM, batch_size=40, **DOUBLE),
    "double, clipped": Case({}, {"clip_norm": 0.02}, shares=3, **DOUBLE),
}
EVERY_DAY = list(CASES)
for _name in ("adagrad", "rmsprop", "momentum", "nesterov", "adamw"):
    CASES[_name] = Case(DROPPED, {"l1": 1e-3, "l2": 1e-2, "ema": 0.9}, optimizer=_name, activations=SECOND)


def train(case, workers=1):
    """Train on 97 rows of 12 x 4 bytes, three times through; return a hash of theta, losses and outputs."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (97, 12, 4), np.uint8)
    classes = X.reshape(97, -1)[:, :6].argmax(axis=1)
    network = Network(
        [48, *WIDTHS, 6], case.activations, loss=case.loss, initializer="glorot_uniform", dtype=case.dtype, seed=1,
        **case.network,
    )  # fmt: skip
    update = Update(OPTIMIZERS.resolve(f"{case.optimizer}(learning_rate=0.001)"), **case.update)
    state = update.start(network.parameters)
    image = (12, 4, 1) if case.moved else (0, 0, 0)
    program = Program(
        network, update, state, X, np.eye(6, dtype=case.dtype)[classes],
        batch_size=case.batch_size, shares=case.shares, image=image,
    )  # fmt: skip
    made = []
    for epoch in range(3):
        moves = Augmentation.parse("flip + shift(2) + erase(0.5)").draw(rng, 97, 12, 4) if case.moved else None
        made += program.take(rng.permutation(97), workers, seed=epoch, moves=moves)
    program.store()
    program.close()
    numbers = [network.theta, network.parameters.statistics, *state.memory, *made]
    return hashlib.sha256(b"".join(one.tobytes() for one in numbers)).hexdigest()[:16]


if __name__ == "__main__":
    sys.stdout.write(json.dumps({name: train(case) for name, case in CASES.items()}, indent=1) + "\n")
