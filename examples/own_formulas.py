"""An activation, a loss and an optimizer of your own, checked, and compared with glassnet's.

python examples/own_formulas.py

Each is written in NumPy, as it stands in its paper. glassnet checks the derivatives numerically before it takes
them. From then on it knows them by their names, in `fit`, in studies and in a saved model, wherever the program
registers them. Where a network is large enough, it compiles them.
"""

from dataclasses import dataclass

import numpy as np

import glassnet as gn
from glassnet.nn.optimizers import OPTIMIZERS


def softsign(z):
    """Softsign: z / (1 + |z|) (Glorot and Bengio 2010, section 3)."""
    return z / (1 + np.abs(z))


def softsign_prime(z):
    """Its derivative: 1 / (1 + |z|)^2."""
    return 1 / (1 + np.abs(z)) ** 2


def log_cosh(outputs, targets):
    """Return the sum over the outputs of log cosh(a - y), of each row, and its slope tanh(a - y)."""
    error = outputs - targets
    return np.log(np.cosh(error)).sum(axis=1), np.tanh(error)


@dataclass(frozen=True)
class Lion(gn.Optimizer):
    """Move each parameter by the same amount, against the sign of a momentum (Chen et al. 2023, arXiv 2302.06675).

    theta = theta - eta sign(beta1 m + (1 - beta1) g)
    m = beta2 m + (1 - beta2) g
    """

    learning_rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.99
    name = "lion"
    memory_vectors = 1

    @staticmethod
    def rule(theta, g, m, t, eta, beta1, beta2):
        """Return theta and the momentum after step t."""
        return theta - eta * np.sign(beta1 * m + (1 - beta1) * g), beta2 * m + (1 - beta2) * g


gn.register_activation("softsign", softsign, softsign_prime, kinks=(0.0,))  # f' bends at 0
gn.register_loss("log_cosh", log_cosh)
OPTIMIZERS.add("lion", Lion)


def main():
    """Have a wrong derivative refused, check a whole network, and compare."""
    try:
        gn.register_activation("wrong", softsign, lambda z: 1 / (1 + np.abs(z)))
    except ValueError as error:
        print("refused: ", error)

    data = gn.load_dataset("digits")
    X, y = data.encoded.train
    check = gn.gradient_check(gn.Network([64, 8, 10], activation="softsign"), X[:20], y[:20])
    error = f"{check.max_relative_error:.0e}"
    print(f"softsign in a network: largest relative error of {check.checked} derivatives {error}")

    print("\nvalidation accuracy after 10 epochs on digits")
    for activation in ("relu", "softsign"):
        for optimizer in ("adam(0.003)", "lion(0.001)"):
            network = gn.Network([64, 64, 10], activation=activation, seed=0)
            run = gn.fit(network, data, optimizer=optimizer, epochs=10, progress=False)
            print(f"  {activation:8} {optimizer:12} {run.history.last.validation_accuracy:.3f}")

    diabetes = gn.load_dataset("diabetes")
    print("\nmean absolute error on the test rows of diabetes")
    for loss in ("half_squared_error", "log_cosh"):
        network = gn.Network([diabetes.n_inputs, 32, 1], loss=loss, seed=0)
        run = gn.fit(network, diabetes, optimizer="adam(0.01)", epochs=40, progress=False)
        print(f"  {loss:18} {gn.evaluate(run.model, diabetes.test).measures['mae']:.1f}")


if __name__ == "__main__":
    main()
