"""An assignment from beginning to end, in Python: the graph, the comparison, the best plan, the figures.

python examples/assignment.py [FOLDER] [--dataset fashion-mnist] [--epochs 10] [--seeds 2]

It describes backpropagation as a computation graph, compares networks, activations and optimizers, says which to
take and how sure that is, trains it, and looks at it on the test rows once. The default is `digits`, which comes
with scikit-learn; with fashion-mnist it takes minutes.
"""

import argparse
from pathlib import Path

import numpy as np

import glassnet as gn
from glassnet.study.specification import study_of


def draw_graph(folder):
    """Walk through a network of 3-2-1: a page that plays it, and the drawing."""
    network = gn.Network([3, 2, 1], activation="sigmoid", loss="half_squared_error", seed=0)
    x, y = [0.5, -1.0, 2.0], 1.0
    page = gn.explain(network, x, y)
    page.save(folder / "explain-3-2-1.html")
    graph = gn.ComputationGraph(network, np.array([x]), np.array([[y]]))
    graph.save(folder / "graph-3-2-1.svg")
    agreement = gn.check_gradients(graph)
    print("the graph's gradient differs from the other two by so much of a derivative:")
    print(f"  delta recursion {agreement.graph_difference:.1g}, numerical {agreement.numeric_difference:.1g}")


def make_study(dataset, inputs, epochs, seeds):
    """Return the comparison: one thing is changed at a time, and each variant is trained with several seeds."""
    layers = {"wide": [inputs, 64, 10], "narrow": [inputs, 28, 10], "deep": [inputs, 32, 32, 10]}
    return study_of(
        {
            "name": "assignment",
            "seeds": seeds,
            "budget": {"epochs": epochs},
            "base": {"data": {"dataset": dataset}, "network": {"layers": layers["wide"]}},
            "factors": {
                "network": {"key": "network.layers", "levels": layers},
                "activation": {"levels": ["relu", "tanh", "sigmoid"]},
                "optimizer": {"levels": ["adam(0.003)", "sgd(0.1)", "momentum(0.1)"]},
            },
        }
    )


def main():
    """Read the options, and do it all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=Path("assignment"))
    parser.add_argument("--dataset", default="digits")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--workers", type=int, help="processes; by default as many as are fastest here")
    options = parser.parse_args()
    folder = options.folder
    folder.mkdir(parents=True, exist_ok=True)

    draw_graph(folder)
    data = gn.load_dataset(options.dataset)
    print(data)

    study = make_study(options.dataset, data.n_inputs, options.epochs, options.seeds)
    rows = gn.run_study(study, folder / "study", workers=options.workers, progress=False)
    for one in gn.summarise(rows, study.measure):
        print(f"  {one.variant:28} {one.mean:.4f}  ({one.low:.4f} to {one.high:.4f}, {one.n} seeds)")
    rows.plot().figure.savefig(folder / "comparison.png")
    advice = gn.recommend(rows, study.measure, study.levels())
    print(f"take {advice.variant}; evidence: {advice.evidence}")

    (chosen,) = (variant for variant in study.variants() if variant.name == advice.variant)
    run = gn.run(chosen.with_seed(0), data, progress=False)
    run.history.plot().figure.savefig(folder / "learning.png")
    run.plot_weights().figure.savefig(folder / "weights.png")
    on_test_rows = gn.evaluate(run.model, data.test)
    on_test_rows.confusion.plot().figure.savefig(folder / "confusion.png")
    print(f"on the test rows, looked at once: accuracy {on_test_rows.accuracy:.4f}; health: {run.health.state}")
    print(f"pages and figures: {', '.join(sorted(path.name for path in folder.iterdir()))}")


if __name__ == "__main__":
    main()
