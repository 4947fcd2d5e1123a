"""Draws the pictures of docs/training.md: ``python docs/images/draw_training.py``, with Fashion-MNIST at hand."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from glassnet import Network, find_learning_rate, load_dataset
from glassnet.charts.painting import FAINT, INK, SERIES, figure_of
from glassnet.data.augmentation import Augmentation, move_images
from glassnet.locales.catalogue import Words
from glassnet.nn.schedules import SCHEDULES

CURVE = SERIES["light"][0]

HERE = Path(__file__).parent

EPOCHS, STEPS = 30, 100

SPECIFICATIONS = (
    "constant(warmup=0.1)",
    "step(every=10, factor=0.3)",
    "exponential(factor=0.9)",
    "cosine(warmup=0.05)",
    "one_cycle",
    "plateau(factor=0.3, patience=3)",
)


def save(figure: Figure, name: str, colours: int = 48) -> None:
    """Write a figure as a small PNG."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=130)
    Image.open(content).convert("RGB").quantize(colours, dither=Image.Dither.NONE).save(HERE / name, optimize=True)


def factors(specification: str) -> tuple[list[float], list[float]]:
    """Return a schedule's factor of every step, and the loss after each epoch of a made-up run.

    The loss comes nearer to a level that is the lower, the smaller the learning rate.
    """
    schedule = SCHEDULES.resolve(specification)
    state, values, losses = schedule.start(), [], [1.4]
    for epoch in range(EPOCHS):
        steps = epoch * STEPS + np.arange(1, STEPS + 1)
        values += schedule.factors(steps, EPOCHS * STEPS, STEPS, state).tolist()
        level = 0.45 + 0.25 * state.scale
        losses.append(round(level + 0.5 * (losses[-1] - level), 2))
        schedule.observe(state, losses[-1])
    return values, losses


def bare(axes: Axes) -> None:
    """Leave the left and the lower edge."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    axes.tick_params(colors=FAINT, labelsize=8)


def schedules() -> None:
    """Draw all schedules, with the factors that training would use."""
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    panels = figure.subplots(2, 3, sharex=True, sharey=True)
    for axes, specification in zip(panels.flat, SPECIFICATIONS, strict=True):
        bare(axes)
        epochs = np.arange(EPOCHS * STEPS) / STEPS
        values, losses = factors(specification)
        axes.plot(epochs, values, color=CURVE, linewidth=1.8)
        axes.set_title(specification, fontsize=9.5, color=INK, family="monospace")
        axes.set_ylim(0, 1.06)
        axes.set_xlim(0, EPOCHS)
    panels[1, 2].plot(range(EPOCHS + 1), losses, color=FAINT, linewidth=1, linestyle=(0, (3, 2)))
    panels[1, 2].text(EPOCHS, 0.62, "validation loss", color=FAINT, fontsize=8, ha="right")
    figure.supxlabel("epoch", fontsize=9, color=INK)
    figure.supylabel("factor on the learning rate", fontsize=9, color=INK)
    save(figure, "schedules.png")


def augmentation() -> None:
    """Draw one picture of Fashion-MNIST, moved several ways."""
    row = load_dataset("fashion-mnist").train.X[:1].reshape(1, 28, 28)
    wanted = ("shift(3)", "flip", "erase(1.0)", "shift(3) + flip + erase(0.5)")
    figure = Figure(figsize=(8, 3.7), layout="constrained")
    panels = figure.subplots(len(wanted), 9)
    for line, specification in zip(panels, wanted, strict=True):
        images = np.repeat(row, 8, axis=0)
        moves = Augmentation.parse(specification).draw(np.random.default_rng(7), 8, height=28, width=28)
        for axes, image in zip(line, [row[0], *move_images(images, moves)], strict=True):
            axes.imshow(image, cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")
            axes.set_xticks([])
            axes.set_yticks([])
            axes.spines[:].set_color("#c5cad1")
        label = specification.replace(" + erase", "\n+ erase")
        line[0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=9, family="monospace", color=INK)
    panels[0, 0].set_title("as it is", fontsize=9, color=INK)
    save(figure, "augmentation.png")


def learning_rates() -> None:
    """Draw the range test of Adam on Fashion-MNIST."""
    found = find_learning_rate(Network([784, 256, 128, 10]), load_dataset("fashion-mnist"), optimizer="adam")
    save(figure_of(found.chart(Words("en"))), "learning-rates.png")


if __name__ == "__main__":
    schedules()
    augmentation()
    learning_rates()
