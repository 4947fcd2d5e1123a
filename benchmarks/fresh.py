"""What startup.py measures in fresh processes; each prints its result as JSON.

python benchmarks/fresh.py save FILE              # Fashion-MNIST's bytes for the processes without glassnet
python benchmarks/fresh.py fit KERNELS            # seconds of the imports, and of a short first fit
python benchmarks/fresh.py start                  # processor seconds of `train` before its first step
python benchmarks/fresh.py peak SYSTEM FILE       # peak memory of an epoch
python benchmarks/fresh.py estimator PACKAGE KIND EPOCHS SEED FOLDER       # an MLPClassifier's fit
"""

import json
import sys
import time
from pathlib import Path

import machine

machine.free_choice()

SHORT = 640

#: What a training does before its first step.
PARTS = ("imports", "data", "preparation")


def save(path):
    """Write the training images and labels as they are."""
    import numpy as np
    from workloads import Data

    X, y = Data().dataset.train
    np.savez(path, X=X, y=y)


def first_fit(kernels):
    """Return the processor seconds of importing numba and glassnet, and of the first fit, an epoch of 640 rows."""
    began = time.process_time()
    if kernels != "numpy":
        import numba  # noqa: F401
    numba_there = time.process_time()
    from glassnet import Dataset, Network, fit

    network, dataset = Network(_usual().layers), short_dataset(Dataset)
    ready = time.process_time()
    fit(network, dataset, epochs=1, batch_size=_usual().batch_size, progress=False, kernels=kernels)
    return {"numba": numba_there - began, "glassnet": ready - numba_there, "fit": time.process_time() - ready}


def start():
    """Return the processor seconds of `glassnet train fashion-mnist --plan fast` before its first step."""
    import glassnet.cli.main  # noqa: F401
    from glassnet.training.components import Components
    from glassnet.training.config import load_plan
    from glassnet.training.run import build_network, load_data
    from glassnet.training.trainer import Trainer

    marks = [0.0, time.process_time()]
    plan = load_plan("fashion-mnist", "fast")
    data = load_data(plan)
    marks.append(time.process_time())
    with Trainer.open(build_network(plan, data), data, plan, Components.build(plan.training)):
        marks.append(time.process_time())
    parts = {name: after - before for name, before, after in zip(PARTS, marks, marks[1:], strict=False)}
    return parts | {"in all": marks[-1]}


def short_dataset(dataset):
    """Return 640 made-up images."""
    import numpy as np

    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 256, (SHORT, 784), dtype=np.uint8), np.arange(SHORT) % 10
    return dataset.from_arrays(X, y, X[:10], y[:10], validation=0)


def peak(system, path):
    """Return the MiB that a process takes at most while it trains an epoch, its imports and the data included."""
    from contestants import CONTESTANTS, glassnet_epoch
    from workloads import ArrayData, Data

    name, _, kernels = system.partition(", kernels=")
    if name == "glassnet":
        glassnet_epoch(Data(), _usual(), kernels=kernels or "auto")()
    else:
        CONTESTANTS[name](ArrayData(path), _usual())()
    return peak_memory()


def fit_estimator(package, kind, epochs, seed, folder):
    """Return the seconds of a classifier's fit, the peak of this process in MiB then, and its accuracy."""
    import importlib
    import warnings

    import numpy as np

    warnings.simplefilter("ignore")
    labels = "table_y" if kind == "table" else "y"
    X, y, X_test, y_test = (
        np.load(Path(folder, f"{part}_{name}.npy")) for part in ("train", "test") for name in (kind, labels)
    )
    hidden = (100,) if kind == "table" else (256, 128)
    estimator = importlib.import_module(package).MLPClassifier(
        hidden, max_iter=int(epochs), random_state=int(seed)
    )
    began = time.perf_counter()
    estimator.fit(X, y)
    seconds, most = time.perf_counter() - began, peak_memory()
    return {"seconds": seconds, "peak": most, "accuracy": estimator.score(X_test, y_test)}


def peak_memory():
    """Return the peak of the resident memory in MiB.

    `getrusage` would do, if it did not count the process that started this one (Linux keeps its peak over exec).
    """
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    import resource

    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def _usual():
    from workloads import USUAL

    return USUAL


if __name__ == "__main__":
    task, *arguments = sys.argv[1:]
    tasks = {"save": save, "fit": first_fit, "start": start, "peak": peak, "estimator": fit_estimator}
    print(json.dumps(tasks[task](*arguments)))
