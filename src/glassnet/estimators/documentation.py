"""The parts of the docstrings that classifier and regressor share, each written once."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TypeVar

Class = TypeVar("Class", bound=type)

PARAMETERS = """
hidden_layer_sizes : array_like of int, default (100,)
    Units of each hidden layer.
activation : str, Activation or a list of them, default "relu"
    scikit-learn's "identity", "logistic", "tanh" or "relu", or any of glassnet's; a list has one for each layer.
solver : {"adam", "sgd", "lbfgs"}, default "adam"
    scikit-learn's optimizers. `optimizer` goes before it.
alpha : float, default 0.0001
    Factor of the penalty on half the squared weights, over the sum of the weights of a batch's rows.
batch_size : int, default "auto"
    Rows of a step; "auto": 200, or all where there are fewer.
learning_rate : {"constant", "invscaling", "adaptive"}, default "constant"
    How the learning rate of "sgd" goes on: as it is; divided by (rows seen so far)^power_t, epoch by epoch; or
    divided by 5 where training would end, until it is 1e-6.
learning_rate_init : float, default 0.001
    Learning rate of "sgd" and "adam" at the beginning.
power_t : float, default 0.5
    See `learning_rate`.
max_iter : int, default 200
    Epochs at most; of "lbfgs" iterations.
shuffle : bool, default True
    Whether the rows are shuffled before each epoch.
random_state : int, RandomState or None
    Decides first weights, order of rows and validation rows: the same ones as in scikit-learn.
tol : float, default 1e-4
    What an improvement of the training loss, or of the validation score, must exceed.
verbose : bool or int, default False
    Whether each epoch is printed.
warm_start : bool, default False
    Whether `fit` goes on from the weights of the fit before.
momentum : float, default 0.9
    Momentum of "sgd".
nesterovs_momentum : bool, default True
    Whether it is Nesterov's.
early_stopping : bool, default False
    Whether the score of validation rows ends training instead of the training loss; the weights of the best epoch
    are kept.
validation_fraction : float, default 0.1
    Share of the rows set aside for that.
beta_1, beta_2, epsilon : float, default 0.9, 0.999, 1e-8
    Of "adam".
n_iter_no_change : int, default 10
    Epochs without improvement after which one more ends training.
max_fun : int, default 15000
    Evaluations of the loss by "lbfgs" at most.
dropout : float or list of float, default 0
    Share of the hidden units that are left out in a step; a list has the inputs' share first.
batch_norm : bool or list of bool, default False
    Whether hidden layers normalise their pre-activations.
optimizer : str or Optimizer, optional
    Any of glassnet's, such as ``"adamw(0.01)"`` or ``glassnet.Muon()``; it has its learning rate with it.
schedule : str or Schedule, optional
    Any of glassnet's, for every optimizer, such as ``"cosine"`` or ``"one_cycle"``, over `max_iter` epochs.
augmentation : str or Augmentation, optional
    How pictures of bytes are moved, such as ``"shift(2) + flip"``; with ``preprocess="auto"``.
callbacks : list of Callback, optional
    Objects of `glassnet.Callback`. Those of scikit-learn are set by ``set_callbacks``, from its version 1.9 on.
initial_weights : pair (coefs, intercepts), vector, or fitted estimator, optional
    Weights to start from. A search clones its parameters: give it a pair.
initializer : str or Initializer, optional
    Any of glassnet's, such as ``"he_normal"``; biases then begin at 0. By default scikit-learn's.
n_threads : int, optional
    Threads of the training. By default as many as are fastest.
dtype : {"float32", "float64"}, optional
    Precision. By default that of X: float32 stays float32, bytes become float32, all else float64.
kernels : {"auto", "numba", "numpy"}, default "auto"
    How formulas are computed; see `glassnet.fit`.
preprocess : {None, "auto"}, default None
    None takes numbers as they are, as scikit-learn does. "auto" learns what rows mean, as `glassnet.fit` does: the
    categories, dates, missing values and scaling of a table of pandas or Polars, and bytes as pixels.
pieces : int, optional
    The most pieces that a column of numbers is cut into, see `glassnet.Dataset.cut`; with ``preprocess="auto"``.
options : dict, optional
    Further options of `glassnet.fit`: ``{"clip_norm": 1.0, "label_smoothing": 0.1, "metrics": ["auc"]}``.
"""

ATTRIBUTES = """
coefs_, intercepts_ : list of ndarray
    Weights and biases of each layer, views of the network's theta.
loss_, best_loss_ : float
    Loss of the last and of the best epoch, with the penalty; ``best_loss_`` is None with early stopping.
loss_curve_ : list of float
    Loss of each epoch; "lbfgs" has none.
validation_scores_, best_validation_score_ : list of float, float
    Scores of the validation rows with early stopping, else None.
n_iter_, t_ : int
    Epochs of the last fit, and rows seen in all.
n_layers_, n_outputs_, out_activation_ : int, int, str
    Layers with the inputs, outputs, and what the last layer does: "softmax", "logistic" or "identity".
n_features_in_, feature_names_in_ : int, ndarray of str
    Columns of X, and their names where it has some.
history_ : History
    Losses, accuracies and metrics of training and validation rows, learning rate and seconds of each epoch.
health_ : Health
    What is wrong with the network, if anything. It is examined when this is first asked for.
model_ : Model
    The network and what its rows and answers mean; ``glassnet.save_model`` saves it.
run_ : Run
    The run, as `glassnet.fit` returns it.
"""


def document(parameters: str, attributes: str) -> Callable[[Class], Class]:
    """Return a decorator that puts two sections before the last ones of a docstring.

    In them, PARAMETERS and ATTRIBUTES stand for the parts above.
    """

    def decorate(estimator: Class) -> Class:
        text, raises, rest = inspect.cleandoc(estimator.__doc__ or "").partition("Raises\n------\n")
        for title, section in (("Parameters", parameters), ("Attributes", attributes)):
            part = inspect.cleandoc(section)
            for name, shared in (("PARAMETERS", PARAMETERS), ("ATTRIBUTES", ATTRIBUTES)):
                part = part.replace(name, shared.strip())
            text += f"{title}\n{'-' * len(title)}\n{part}\n\n"
        estimator.__doc__ = text + raises + rest
        return estimator

    return decorate
