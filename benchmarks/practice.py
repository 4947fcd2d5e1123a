"""What regularisation and augmentation cost: an epoch with each, over a plain epoch of the same system.

    make bench        (or: python benchmarks/practice.py [--rounds 5] [--workloads 0,1])

All in turn in one process; what counts is the ratio of the medians. Writes results/practice.json and .md.
"""

import argparse
from functools import partial

import machine

machine.free_choice()

import numpy as np
from results import number, table, write
from trainings import torch_network
from turns import in_turn, medians, prepare
from workloads import USUAL, WORKLOADS, Data

import glassnet as gn

#: The usual network and the largest.
CHOSEN = [USUAL, WORKLOADS[-1]]

#: Epochs of one measurement.
EPOCHS = 2

#: What is added: options of the network, and of `fit`.
PRACTICES = {
    "plain": ({}, {}),
    "dropout 0.3": ({"dropout": 0.3}, {}),
    "batch norm": ({"batch_norm": True}, {}),
    "batch norm, dropout 0.3": ({"batch_norm": True, "dropout": 0.3}, {}),
    "augmentation flip + shift(2) + erase(0.5)": ({}, {"augmentation": "flip + shift(2) + erase(0.5)"}),
    "label_smoothing 0.1": ({}, {"label_smoothing": 0.1}),
    "weight_decay 0.05": ({}, {"weight_decay": 0.05}),
    "ema 0.999": ({}, {"ema": 0.999}),
    "clip_norm 1": ({}, {"clip_norm": 1.0}),
    "max_norm 3": ({}, {"max_norm": 3.0}),
    "sample_weight": ({}, {"sample_weight": np.linspace(0.5, 1.5, 60_000)}),
}

#: The same in PyTorch, as far as it comes in layers.
TORCH = {name: PRACTICES[name][0] for name in ("plain", "dropout 0.3", "batch norm", "batch norm, dropout 0.3")}


def main():
    """Read the options, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="of each workload")
    parser.add_argument("--workloads", default="0,1", help="which ones, by number")
    options = parser.parse_args()
    chosen = [CHOSEN[int(index)] for index in options.workloads.split(",")]
    data = Data()
    rows = [measure_workload(data, workload, options.rounds) for workload in chosen]
    heading = (
        "Seconds of an epoch of 60,000 Fashion-MNIST images with Adam, plain and with what practice adds: medians "
        f"of {options.rounds} rounds in turn, {EPOCHS} epochs each."
    )
    notes = [f"{name}: {reason}." for row in rows for name, reason in row["failed"].items()]
    write("practice", heading, [practice_table(row) for row in rows], {"workloads": rows}, notes)


def measure_workload(data, workload, rounds):
    """Return the times of one workload."""
    load = machine.load()
    builders = {
        f"glassnet: {name}": partial(glassnet_epochs, data, workload, *options)
        for name, options in PRACTICES.items()
    }
    builders |= {
        f"PyTorch: {name}": partial(torch_epochs, data, workload, **options) for name, options in TORCH.items()
    }
    ready, failed = prepare(builders)
    times = {name: [value / EPOCHS for value in values] for name, values in in_turn(ready, rounds).items()}
    return {
        **workload._asdict(),
        "title": workload.title,
        "load": load,
        "seconds": times,
        "medians": medians(times),
        "failed": failed,
    }


def glassnet_epochs(data, workload, network_options, options):
    """Return a function that trains `EPOCHS` epochs by `glassnet.fit`."""
    network, dataset = gn.Network(workload.layers, **network_options), data.dataset
    size = workload.batch_size
    return lambda: gn.fit(
        network, dataset, epochs=EPOCHS, batch_size=size, threads=machine.CORES, progress=False, **options
    )


def torch_epochs(data, workload, **options):
    """Return a function that trains `EPOCHS` epochs in PyTorch."""
    import torch

    torch.set_num_threads(machine.CORES)
    network, loss = torch_network(workload.layers, **options), torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(network.parameters(), fused=True)
    X, y = torch.from_numpy(data.X), torch.from_numpy(data.y)

    def epochs():
        for _ in range(EPOCHS):
            for rows in torch.randperm(len(X)).split(workload.batch_size):
                optimizer.zero_grad(set_to_none=True)
                loss(network(X[rows]), y[rows]).backward()
                optimizer.step()

    return epochs


def practice_table(row):
    """Return what each practice takes, and its ratio to the plain epoch."""
    body = []
    for name in PRACTICES:
        cells = [part for system in ("glassnet", "PyTorch") for part in _cells(row["medians"], system, name)]
        body.append([name, *cells])
    head = [f"{row['title']} (load before: {row['load']})"]
    return table([*head, "glassnet, s", "over plain", "PyTorch, s", "over plain"], body)


def _cells(middle, system, name):
    """Return the seconds and the ratio."""
    value, plain = middle.get(f"{system}: {name}"), middle.get(f"{system}: plain")
    return number(value), number(value / plain if value and plain else None, 2)


if __name__ == "__main__":
    main()
