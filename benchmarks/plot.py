"""The picture of the epochs."""

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from results import FOLDER

COLOURS = {"glassnet": "#c2410c", "JAX": "#64748b", "PyTorch": "#94a3b8", "scikit-learn": "#cbd5e1"}
INK = "#1e293b"

#: Height of a bar; the bars of a workload stand around a whole number.
HEIGHT = 0.19


def draw(rows, limit):
    """Draw the epochs of each workload, glassnet's time being 1, and the limit as a line through its bars."""
    rows = [row for row in rows if "glassnet" in row["medians"]]
    figure = Figure(figsize=(8.5, 0.9 + 1.05 * len(rows)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for i, row in enumerate(rows):
        draw_bars(axes, i, row)
        if limit in row["medians"]:
            draw_limit(axes, i, row["medians"][limit] / row["medians"]["glassnet"])
    decorate(axes, rows)
    figure.savefig(FOLDER / "epoch.png", dpi=150)


def draw_bars(axes, i, row):
    """Draw a bar for each system, with its name and seconds beside it."""
    for k, (name, colour) in enumerate(COLOURS.items()):
        y, value = i + (k - (len(COLOURS) - 1) / 2) * HEIGHT, row["medians"].get(name)
        length = 0 if value is None else value / row["medians"]["glassnet"]
        axes.barh(y, length, 0.9 * HEIGHT, color=colour)
        text = row["failed"].get(name, "").split(":")[0] if value is None else f"{value:.2f} s"
        weight = "bold" if name == "glassnet" else "normal"
        label = axes.text(length + 0.03, y, f"{name}  {text}", va="center", fontsize=8.5, color=INK, weight=weight)
        label.set(zorder=3, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8})  # over the limit's line


def draw_limit(axes, i, x):
    """Draw the limit; say what it is over the first."""
    axes.plot([x, x], [i - 0.44, i + 0.44], color=INK, linewidth=1.6)
    if i == 0:
        axes.text(x, i - 0.47, "the matrix products alone", ha="left", va="bottom", fontsize=8.5, color=INK)


def decorate(axes, rows):
    """Name the axes, and leave out what says nothing."""
    titles = [f"{'-'.join(map(str, row['layers']))}\nbatch {row['batch_size']}" for row in rows]
    lengths = [value / row["medians"]["glassnet"] for row in rows for value in row["medians"].values()]
    axes.set_yticks(range(len(rows)), titles)
    axes.set_ylim(len(rows) - 0.45, -0.65)
    axes.set_xlim(0, 1.22 * max(lengths, default=1))
    axes.tick_params(axis="y", left=False)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.set_xlabel("seconds of a training epoch of 60,000 images, divided by glassnet's")
