"""What the questions of ``seed-report`` need beside its study: outputs, causes crossed, and forms of its Adam."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

from glassnet.data.dataset import Dataset
from glassnet.reproductions.plain_runs import Key, PlainRuns, Setting, run_plain
from glassnet.study.design import Study

#: The report's GD divides its step by the pixels, and leaves out the factor k of the chain rule.
RATE, PIXELS, SCALE = 0.1, 784, 10

#: By hidden and output activation, with k = 1: which of them can stay at the answer 1?
OUTPUTS: dict[Key, Setting] = {
    ("output", hidden, output): Setting(
        {
            "network.activation": hidden,
            "network.output_activation": output,
            "network.output_scale": 1.0,
            "training.optimizer": f"gd({RATE}, update_scale={1 / PIXELS})",
        }
    )
    for hidden, output in (("tanh", "tanh"), ("sigmoid", "sigmoid"), ("relu", "tanh"), ("relu", "sigmoid"))
}

#: Factors on the first weights, learning rates and epochs of the runs that ask what stops tanh.
FACTORS, STEPS, CROSSED_EPOCHS = (1.0, 0.05), (RATE, 0.01, 0.001), 300

#: By the factor of the hidden layers, that of the output layer, and the learning rate.
CROSSED: dict[Key, Setting] = {
    ("tanh", hidden, output, rate): Setting(
        {
            "network.activation": "tanh",
            "network.output_activation": "tanh",
            "training.optimizer": f"gd({rate}, update_scale={1 / (PIXELS * SCALE)})",
            "training.epochs": CROSSED_EPOCHS,
        },
        hidden,
        output,
    )
    for hidden, output, rate in itertools.product(FACTORS, FACTORS, STEPS)
}


def _adam(rate: float, images: int = 6000, epochs: int = 1000) -> Setting:
    return Setting(
        {
            "training.sampling": "fresh",
            "training.samples_per_epoch": images,
            "training.batch_size": images,
            "training.epochs": epochs,
            "training.optimizer": f"adam({rate})",
        }
    )


_DIVIDED = RATE / PIXELS

#: Forms that the report's Adam may have; where its units saturate at once, 100 epochs show it.
ADAM_FORMS: dict[Key, Setting] = {
    ("adam", "by-images"): _adam(RATE / 6000),
    ("adam", "divided-frozen"): replace(_adam(_DIVIDED), frozen_t=1),
    ("adam", "divided-uncorrected"): replace(_adam(_DIVIDED), frozen_t=1000),
    ("adam", "divided-600"): _adam(_DIVIDED, images=600),
    ("adam", "frozen"): replace(_adam(RATE, epochs=100), frozen_t=1),
    ("adam", "ascending"): replace(_adam(RATE, epochs=100), ascends=True),
}


def run_experiments(
    study: Study, data: Dataset, folder: Path, *, workers: int | None = None, progress: bool = True
) -> PlainRuns:
    """Train all of these with the seeds of the report's study; `run_plain` says what is kept and raised."""
    settings = OUTPUTS | CROSSED | ADAM_FORMS
    return run_plain(settings, study.seeds, study.base, data, folder, workers=workers, progress=progress)
