"""What recipe.py measures in fresh processes: one training by a recipe, from the imports to the predictions.

python benchmarks/trainings.py save FILE                           # the splits, for the processes without glassnet
python benchmarks/trainings.py train SYSTEM FILE PART SEED RECIPE  # PART is validation or test

Prints the accuracy on that part and the seconds of each stage as JSON.
"""

import time

BEGAN = time.perf_counter()

import json
import sys
from functools import cached_property
from itertools import pairwise

import machine

machine.free_choice()

import numpy as np
from recipes import Recipe, one_cycle
from workloads import scaled


class Images:
    """Splits from a file, each loaded when it is first asked for: rows to train on, and a part to predict."""

    def __init__(self, path, part):
        self.arrays, self.part = np.load(path), part

    @cached_property
    def X(self):
        """Return the rows to train on, float32 in [0, 1]."""
        return scaled(self.arrays["train_X"])

    @cached_property
    def y(self):
        """Return their labels as int64."""
        return self.arrays["train_y"].astype(np.int64)

    @cached_property
    def X_part(self):
        """Return the rows to predict."""
        return scaled(self.arrays[f"{self.part}_X"])

    @cached_property
    def y_part(self):
        """Return their labels."""
        return self.arrays[f"{self.part}_y"]


class Stages:
    """Seconds of each stage of a process; a stage ends where the object is called with its name."""

    def __init__(self):
        self.seconds, self.last = {}, BEGAN

    def __call__(self, name):
        """End a stage."""
        now = time.perf_counter()
        self.seconds[name], self.last = now - self.last, now


def glassnet_labels(images, recipe, seed, done):
    """glassnet: by its own loader; without a recipe, by the plan ``fast`` that comes along."""
    from glassnet import Callback, Network, fit, load_dataset, load_plan, run

    class Begin(Callback):
        def on_train_begin(self, run):
            done("prepare")

    data = load_dataset("fashion-mnist")
    done("load")
    options = {"callbacks": [Begin()], "progress": False}
    if recipe is None:
        plan = load_plan("fashion-mnist", "fast").model_copy(update={"seed": seed})
        network = run(plan, data, **options).network
    else:
        network = Network(recipe.layers, batch_norm=recipe.batch_norm, seed=seed)
        fit(
            network, data, epochs=recipe.epochs, batch_size=recipe.batch_size,
            optimizer=f"adam({recipe.learning_rate})", weight_decay=recipe.weight_decay,
            schedule="one_cycle" if recipe.one_cycle else "constant", **options,
        )  # fmt: skip
    done("train")
    return network.predict(getattr(data, images.part).X)


def torch_labels(images, recipe, seed, done):
    """PyTorch: fused AdamW, all images in one float32 tensor; `prepare` ends with the first step."""
    import torch

    torch.set_num_threads(machine.CORES)
    torch.manual_seed(seed)
    X, y = torch.from_numpy(images.X), torch.from_numpy(images.y)
    done("load")
    network, loss = torch_network(recipe.layers, recipe.batch_norm), torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(
        network.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
    )
    steps = recipe.epochs * -(-len(X) // recipe.batch_size)
    cycle = (
        torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.learning_rate, steps) if recipe.one_cycle else None
    )
    for _ in range(recipe.epochs):
        for rows in torch.randperm(len(X)).split(recipe.batch_size):
            optimizer.zero_grad(set_to_none=True)
            loss(network(X[rows]), y[rows]).backward()
            optimizer.step()
            if cycle:
                cycle.step()
            if "prepare" not in done.seconds:
                done("prepare")
    done("train")
    with torch.inference_mode():
        return network.eval()(torch.from_numpy(images.X_part)).argmax(1).numpy()


def torch_network(layers, batch_norm=False, dropout=0.0):
    """Return the network as PyTorch modules, without a softmax at its end."""
    import torch

    modules = []
    for d_in, d_out in pairwise(layers[:-1]):
        modules.append(torch.nn.Linear(d_in, d_out, bias=not batch_norm))  # batch norm brings a bias
        modules += [torch.nn.BatchNorm1d(d_out)] * batch_norm
        modules.append(torch.nn.ReLU())
        modules += [torch.nn.Dropout(dropout)] * (dropout > 0)
    return torch.nn.Sequential(*modules, torch.nn.Linear(*layers[-2:]))


def jax_labels(images, recipe, seed, done):
    """JAX: the whole epoch compiled, all images on its device; no last, smaller batch."""
    import jax_recipe

    return jax_recipe.labels(images, recipe, seed, done)


def sklearn_labels(images, recipe, seed, done):
    """scikit-learn: `MLPClassifier.partial_fit`, an epoch a call; no batch norm.

    A penalty takes the place of weight decay, with the default alpha. There is no public way to a schedule of
    Adam's learning rate: the private optimizer is told before each epoch the rate in the middle of it.
    """
    from sklearn.neural_network import MLPClassifier

    X, y = images.X, images.y
    done("load")
    progress = (np.arange(recipe.epochs) + 0.5) / recipe.epochs
    shares = one_cycle(progress) if recipe.one_cycle else np.ones_like(progress)
    first, *rates = (recipe.learning_rate * shares).tolist()
    classifier = MLPClassifier(
        recipe.hidden, batch_size=recipe.batch_size, alpha=1e-4 if recipe.weight_decay else 0,
        learning_rate_init=first, random_state=np.random.RandomState(seed),
    )  # fmt: skip  # an integer would shuffle every epoch alike
    done("prepare")
    classifier.partial_fit(X, y, classes=np.unique(y))
    for rate in rates:
        classifier._optimizer.learning_rate_init = rate
        classifier.partial_fit(X, y)
    done("train")
    return classifier.predict(images.X_part)


SYSTEMS = {
    "glassnet": glassnet_labels,
    "JAX": jax_labels,
    "PyTorch": torch_labels,
    "scikit-learn": sklearn_labels,
}


def train(system, path, part, seed, recipe):
    """Return the accuracy on a part, and the seconds of the stages."""
    images, done, recipe = Images(path, part), Stages(), json.loads(recipe)
    labels = SYSTEMS[system](images, recipe and Recipe(**recipe), int(seed), done)
    done("predict")
    return {"accuracy": float((labels == images.y_part).mean()), **done.seconds}


def save(path):
    """Write the splits as they are: bytes."""
    from glassnet import load_dataset

    data = load_dataset("fashion-mnist")
    splits = {part: getattr(data, part) for part in ("train", "validation", "test")}
    np.savez(path, **{f"{part}_{name}": getattr(split, name) for part, split in splits.items() for name in "Xy"})


if __name__ == "__main__":
    task, *arguments = sys.argv[1:]
    print(json.dumps({"save": save, "train": train}[task](*arguments)))
