"""Train on a set of MedMNIST with several seeds, and put what comes of it beside the published figures.

python examples/medmnist_seeds.py [SET] [--seeds 3] [--epochs 30]

SET is breastmnist, or another of `glassnet data list`. It is read from the folder that GLASSNET_DATA names, or
downloaded once. A single seed says little here: breastmnist has 156 test rows.
"""

import argparse
from statistics import mean, stdev

import glassnet as gn
from glassnet.data.registry import published


def train(data, seed, epochs):
    """Return AUC and accuracy on the test rows, by the definitions of MedMNIST's evaluator."""
    network = gn.Network([data.n_inputs, 128, data.n_classes], batch_norm=True, dropout=0.2, seed=seed)
    run = gn.fit(
        network,
        data,
        optimizer="adamw(0.001)",
        schedule="cosine",
        epochs=epochs,
        label_smoothing=0.1,
        metrics=["auc"],
        progress=False,
    )
    measures = gn.evaluate(run.model, data.test).measures
    print(f"  seed {seed}: validation AUC {run.history.last.measures['validation_auc']:.3f}", end="")
    print(f"   test AUC {measures['auc']:.3f}, ACC {measures['accuracy']:.3f}")
    return measures["auc"], measures["accuracy"]


def main():
    """Read the options, train, and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dataset", nargs="?", default="breastmnist", metavar="SET")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=30)
    options = parser.parse_args()

    data = gn.load_dataset(options.dataset)
    print(data)
    found = [train(data, seed, options.epochs) for seed in range(options.seeds)]

    print(f"\n{'':26}  AUC    ACC")
    for method, figures in published(options.dataset).items():
        print(f"{method:26}  {figures['auc']:.3f}  {figures['acc']:.3f}")
    aucs, accuracies = zip(*found, strict=True)
    print(f"{'this network, mean':26}  {mean(aucs):.3f}  {mean(accuracies):.3f}")
    if len(found) > 1:
        print(f"{'  and standard deviation':26}  {stdev(aucs):.3f}  {stdev(accuracies):.3f}")


if __name__ == "__main__":
    main()
