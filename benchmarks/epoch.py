"""Seconds of a training epoch on Fashion-MNIST: glassnet beside JAX, PyTorch, scikit-learn and the limit.

    make bench        (or: python benchmarks/epoch.py [--rounds 5] [--workloads 0,2] [--busy])

All train the same networks on the same 60,000 images, in turn in one process. What counts is the ratio of the
medians: absolute times differ between machines and days. Writes results/epoch.json, .md and .png; with --busy it
measures what other programs on the cores do to an epoch instead, and writes results/busy.json and .md.
"""

import argparse
from functools import partial

import machine

machine.free_choice()

import gemm
from busy import measure_busy
from contestants import CONTESTANTS, glassnet_epoch
from plot import draw
from results import number, table, write
from turns import in_turn, medians, prepare, ratios
from workloads import USUAL, WORKLOADS, Data

LIMIT = "products alone"

#: Epochs of one measurement: glassnet's are one call of `fit`.
EPOCHS = 2


def main():
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, help="of each workload; 5, and 3 of the largest")
    parser.add_argument("--workloads", default="0,1,2,3,4", help="which ones, by number: 0,2")
    parser.add_argument("--busy", action="store_true", help="measure on busy cores instead")
    options = parser.parse_args()
    if options.busy:
        return measure_busy(Data(), options.rounds or 3)
    chosen = [WORKLOADS[int(number)] for number in options.workloads.split(",")]
    measure(Data(), chosen, options.rounds)


def measure(data, chosen, rounds):
    """Measure and write everything."""
    used, kernels = used_by_glassnet(data), gemm.candidates()
    rows = [
        measure_workload(data, workload, rounds or (3 if 1024 in workload.layers else 5)) for workload in chosen
    ]
    activations = measure_activations(data, rounds or 5)
    heading = (
        "Seconds of an epoch of 60,000 Fashion-MNIST images, Adam, float32, cross-entropy, relu: "
        "medians of rounds in turn, two epochs each."
    )
    notes = [note(rows, used), *gemm.better_kernels(kernels)]
    values = {"glassnet": used, "blas_kernels": kernels, "workloads": rows, "activations": activations}
    write("epoch", heading, [seconds_table(rows), ratio_table(rows), activation_table(activations)], values, notes)
    draw(rows, LIMIT)


def measure_workload(data, workload, rounds):
    """Return the times of one workload, everyone in turn."""
    load = machine.load()
    threads, _ = gemm.best_threads(workload)
    builders = {name: partial(several, build, data, workload) for name, build in CONTESTANTS.items()}
    builders["glassnet"] = partial(glassnet_epoch, data, workload, epochs=EPOCHS)
    builders[LIMIT] = partial(several, gemm.gemm_epoch, workload, threads)
    ready, failed = prepare(builders)
    times = of_an_epoch(in_turn(ready, rounds))
    middle = medians(times)
    print(f"{workload.title}: " + ", ".join(f"{name} {value:.3f} s" for name, value in middle.items()), flush=True)
    return {
        **workload._asdict(),
        "load": load,
        "limit_threads": threads,
        "seconds": times,
        "medians": middle,
        "ratios": ratios(middle) if "glassnet" in middle else {},
        "failed": failed,
    }


def several(build, *arguments):
    """Return a function that trains `EPOCHS` epochs."""
    epoch = build(*arguments)
    return lambda: [epoch() for _ in range(EPOCHS)]


def of_an_epoch(times):
    """Return the times of one epoch."""
    return {name: [seconds / EPOCHS for seconds in values] for name, values in times.items()}


def measure_activations(data, rounds):
    """Return the times of glassnet's epoch with other activations."""
    names = ("relu", "tanh", "sigmoid")
    ready, failed = prepare({name: partial(glassnet_epoch, data, USUAL, name, EPOCHS) for name in names})
    times = of_an_epoch(in_turn(ready, rounds))
    return {**USUAL._asdict(), "seconds": times, "medians": medians(times), "failed": failed}


def seconds_table(rows):
    """Return the medians."""
    names = [*CONTESTANTS, LIMIT]
    body = [
        [_title(row), *(number(row["medians"].get(name)) for name in names), number(row["load"], 2)]
        for row in rows
    ]
    return table(["seconds", *names, "load before"], body)


def ratio_table(rows):
    """Return glassnet's time over that of the others, and how near the limit it comes."""
    peers = [name for name in CONTESTANTS if name != "glassnet"]
    body = []
    for row in rows:
        cells = [number(row["ratios"].get(name), 2) for name in peers]
        body.append([_title(row), *cells, f"{row['ratios'][LIMIT] ** -1:.0%}" if row["ratios"] else "-"])
    return table(["glassnet's time over that of", *peers, "products' share of glassnet's time"], body)


def activation_table(activations):
    """Return glassnet's epochs with other activations, and their ratio to relu's."""
    middle = activations["medians"]
    body = [
        [name, number(value), number(value / middle["relu"], 2) if "relu" in middle else "-"]
        for name, value in middle.items()
    ]
    return table([f"glassnet, {USUAL.title}", "seconds", "over relu"], body)


def used_by_glassnet(data):
    """Return the kernels and threads that glassnet chooses for the usual network, as its runs record them."""
    recorded = glassnet_epoch(data, USUAL)().config.environment
    return {name: recorded.get(name) for name in ("kernels", "threads")}


def note(rows, used):
    """Return what the columns mean, what glassnet chose, and who is missing."""
    threads = " or ".join(sorted({str(row["limit_threads"]) for row in rows}))
    failed = {name: reason for row in rows for name, reason in row["failed"].items()}
    missing = "".join(f" {name}: {reason}." for name, reason in failed.items())
    return (
        f"glassnet (kernels {used['kernels']}, at most {used['threads']} threads) starts from bytes and reports "
        "loss and accuracy; the others start from float32 that somebody has scaled for them, and JAX leaves out "
        "the last, smaller batch. *Products alone* are an epoch's matrix products in NumPy's BLAS and nothing "
        f"else, with the threads that suit them best ({threads}).{missing}"
    )


def _title(row):
    """Return the title of a row's workload."""
    return f"{'-'.join(map(str, row['layers']))}, batch {row['batch_size']}"


if __name__ == "__main__":
    main()
