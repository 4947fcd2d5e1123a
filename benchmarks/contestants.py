"""One epoch of training in each system, the best way that system has.

Every function takes the data and a workload, prepares all that can be prepared, and returns a function without
arguments that trains one epoch. A system is imported when it is asked for, so that it may be missing.
"""

import warnings
from itertools import pairwise

import machine


def glassnet_epoch(data, workload, activation="relu", epochs=1, **options):
    """`glassnet.fit` from bytes, its metrics, checks and record of the run included."""
    import glassnet as gn

    dataset = data.dataset
    network = gn.Network(workload.layers, activation=activation)
    return lambda: gn.fit(
        network, dataset, epochs=epochs, batch_size=workload.batch_size, progress=False, **options
    )


def torch_epoch(data, workload):
    """PyTorch: fused Adam, all images in one float32 tensor; no metrics."""
    import torch

    torch.set_num_threads(machine.CORES)
    network = torch_network(workload.layers)
    optimizer = torch.optim.Adam(network.parameters(), fused=True)
    loss = torch.nn.CrossEntropyLoss()
    X, y = torch.from_numpy(data.X), torch.from_numpy(data.y)

    def epoch():
        for rows in torch.randperm(len(X)).split(workload.batch_size):
            optimizer.zero_grad(set_to_none=True)
            loss(network(X[rows]), y[rows]).backward()
            optimizer.step()

    return epoch


def torch_network(layers):
    """Return the network as PyTorch modules, without a softmax at its end."""
    import torch

    modules = []
    for d_in, d_out in pairwise(layers):
        modules += [torch.nn.Linear(d_in, d_out), torch.nn.ReLU()]
    return torch.nn.Sequential(*modules[:-1])


def jax_epoch(data, workload):
    """JAX: the whole epoch compiled, all images on its device; no metrics, and no last, smaller batch."""
    import jax_peer

    return jax_peer.jax_epoch(data, workload)


def sklearn_epoch(data, workload):
    """scikit-learn: `MLPClassifier.fit`, one epoch a call (max_iter=1) from where the last ended (warm_start)."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    X, y = data.X, data.y
    classifier = MLPClassifier(
        workload.layers[1:-1], batch_size=workload.batch_size, alpha=0, max_iter=1, warm_start=True, random_state=0
    )

    def epoch():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            classifier.fit(X, y)

    return epoch


CONTESTANTS = {
    "glassnet": glassnet_epoch,
    "JAX": jax_epoch,
    "PyTorch": torch_epoch,
    "scikit-learn": sklearn_epoch,
}
