"""All that says how good a network's answers are.

Of finished networks: one pass over rows gives `Predictions`, and every figure comes from them.
`predict_rows` makes the pass. `measure` gives metrics by name (`METRICS`). `evaluate` and `evaluate_predictions`
give the measures that suit the task, with their intervals; `class_scores` those of each class. `RunningMetrics`
adds up loss and accuracy over batches, in training and in that pass. Accuracies are counted by one function,
`glassnet.training.metrics.formulas.count_correct`. scikit-learn is imported when a measure first needs it.
"""

from glassnet.training.metrics.catalogue import METRICS as METRICS
from glassnet.training.metrics.catalogue import check_metrics as check_metrics
from glassnet.training.metrics.catalogue import measure as measure
from glassnet.training.metrics.evaluation import ClassScore as ClassScore
from glassnet.training.metrics.evaluation import Evaluation as Evaluation
from glassnet.training.metrics.evaluation import class_scores as class_scores
from glassnet.training.metrics.evaluation import evaluate as evaluate
from glassnet.training.metrics.evaluation import evaluate_predictions as evaluate_predictions
from glassnet.training.metrics.evaluation import spread_over_runs as spread_over_runs
from glassnet.training.metrics.intervals import auc_interval as auc_interval
from glassnet.training.metrics.intervals import binary_scores as binary_scores
from glassnet.training.metrics.intervals import wilson_interval as wilson_interval
from glassnet.training.metrics.jackknife import pseudo_values as pseudo_values
from glassnet.training.metrics.medmnist import accuracy as accuracy
from glassnet.training.metrics.medmnist import auc as auc
from glassnet.training.metrics.medmnist import write_scores as write_scores
from glassnet.training.metrics.predictions import Predictions as Predictions
from glassnet.training.metrics.predictions import RunningMetrics as RunningMetrics
from glassnet.training.metrics.predictions import predict_rows as predict_rows
from glassnet.training.metrics.predictions import predict_test_rows as predict_test_rows
from glassnet.training.metrics.predictions import probability_of as probability_of
from glassnet.training.metrics.predictions import take_labels as take_labels
