"""Plant one fault at a time in the package and see that the tests notice it.

    make mutants        (or: python tests/mutants.py [WORD ...], only mutants with such a word in file or line)

A mutant is a file, a line of it, and the line it becomes. Each is planted in a copy of the package and the tests
of its floor are run against that copy. A mutant that survives means that a test is missing, and ends this with 1.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]
SECONDS = 600
FLOORS = ("locales", "nn", "compiled", "data", "training", "runtime", "graph", "study", "report", "reproductions")

#: Tests of a floor that notice many faults of other modules.
LIKELY = {"training": ("test_resume.py", "test_fit_options.py"), "compiled": ("test_program.py",)}

MUTANTS = [
    # The compiled step, and how it comes about.
    ("compiled/shares.py", "size * share // shares + 3", "size * share // shares + 7"),
    ("compiled/gather.py", "row[j] = real(x[j]) * step.input_scale", "row[j] = real(x[j])"),
    ("compiled/forward.py", "step.targets[block.rows[i]],", "step.targets[i],"),
    ("compiled/forward.py", "        db = step.share_bias[share, :d_out]\n        db[:] = ZERO", "        db = step.share_bias[share, :d_out]"),
    ("compiled/backward.py", "ONE if left > 0 else ZERO", "ZERO"),
    ("compiled/backward.py", "above.w + left * unit_size(step, layer) + first * piece", "above.w + left * step.layers[layer] + first * piece"),
    ("compiled/backward.py", "        if share == step.shares - 1:", "        if share == 0:"),
    ("compiled/steps.py", "real(step.output_scale / (last - first)) if step.averaged", "real(step.output_scale / size) if step.averaged"),
    ("compiled/steps.py", "    if not isfinite(loss):\n        return int64(0)", "    pass"),
    ("compiled/steps.py", "stop == last, batches.scalars[taken]", "True, batches.scalars[taken]"),
    ("compiled/steps.py", "scale, start == first,", "scale, True,"),
    ("compiled/forward.py", "n * share // step.shares, n * (share + 1)", "n * share // step.shares, n * share"),
    ("compiled/elementary.py", "y = y if x >= SMALLEST else ZERO", "y = y if x >= ZERO else ZERO"),
    ("compiled/elementary.py", "y = y if x >= ZERO else -y", "y = y"),
    ("compiled/elementary.py", "for k in range(TERMS, 1, -1):", "for k in range(TERMS - 2, 1, -1):"),
    ("compiled/loops.py", "return symbol.operation in EXPENSIVE and", "return symbol.operation in REDUCTIONS and"),
    ("compiled/tracing.py", "if (level == ELEMENT and False in rows) or len(rows) > 1:", "if len(rows) > 1:"),
    ("compiled/tracing.py", 'if operation.startswith("logical") and not all(truths):', "if False:"),
    ("compiled/tracing.py", '"minimum": "({0} if ({0} <= {1})', '"minimum": "({0} if ({0} >= {1})'),
    ("compiled/program.py", "np.take(natural, self.order, out=mine)", "mine[:] = natural"),
    ("compiled/program.py", "natural[self.order] = mine", "natural[:] = mine"),
    ("compiled/program.py", "self.state.t += taken", "self.state.t += steps"),
    ("compiled/program.py", "1 / 255 if self.X.dtype", "1 / 256 if self.X.dtype"),
    ("training/engine.py", "first = len(losses) * context.batch_size", "first = 0"),
    ("training/trainer.py", "        self.engine.store()\n        self._check_finite()", "        self._check_finite()"),
    ("report/column_table.py", '"+" if column.mean < 0', '"+" if column.mean > 0'),
    ("report/column_table.py", "return str(date(1970, 1, 1)", "return str(date(1970, 1, 2)"),
    ("runtime/callers.py", "sys._getframe(), 1", "sys._getframe(), 2"),
    ("runtime/callers.py", ", contextlib.__file__)", ",)"),
    ("runtime/threads.py", "seconds > BUSY * best", "seconds > 100 * BUSY * best"),
    ("runtime/threads.py", "self.count = min(self.options,", "self.count = max(self.options,"),
    ("compiled/tracing.py", '"subtract": "{0} - {1}"', '"subtract": "{1} - {0}"'),
    ("compiled/tracing.py", '"max": (OPERATIONS["maximum"], "-infinity")', '"max": (OPERATIONS["maximum"], "real(0)")'),
    ("compiled/tracing.py", 'if method != "__call__" or options or', 'if method != "__call__" or'),
    ("compiled/tracing.py", 'set(kwargs) <= {"axis", "keepdims"}', "True"),
    ("compiled/tracing.py", "other_dtype = dtype is not None and", "other_dtype = False and"),
    ("compiled/tracing.py", "np.asarray(values[part.label], np.float64)[()]", "values[part.label]"),
    ("compiled/tracing.py", 'if "real" not in kinds and operation in NOT_WHOLE:', "if False:"),
    ("compiled/loops.py", "self.place[id(symbol)] + (symbol.operation in REDUCTIONS)", "self.place[id(symbol)]"),
    ("compiled/loops.py", ", *(self._ready(symbol) for symbol in self.targets)]", "]"),
    ("compiled/loops.py", 'truth = " != real(0)" if symbol.kind == "truth" else ""', 'truth = ""'),
    ("compiled/loops.py", "* int(exponent.label))", "* 2)"),
    ("compiled/loops.py", "{target}[j] += {self._number(symbol)}", "{target}[j] = {self._number(symbol)}"),
    ("compiled/elementary.py", "n = floor(x * LOG2_E + HALF)", "n = floor(x * LOG2_E)"),
    ("compiled/elementary.py", "r = x - real(n) * LOG_2_HIGH - real(n) * LOG_2_LOW", "r = x - real(n) * LOG_2_HIGH"),
    ("compiled/elementary.py", "n = n + 1 if above else n", "n = n"),
    ("compiled/elementary.py", "y = y if x >= TINY else -infinity", "y = y"),
    ("compiled/elementary.py", "y = -e / (TWO + e)", "y = -e / (TWO - e)"),
    ("compiled/elementary.py", "y = TWO * (h * q + (h - HALF))", "y = TWO * h * q + (TWO * h - ONE)"),
    ("compiled/backward.py", "db += step.share_bias[other, :d_out]", "db += step.share_bias[0, :d_out]"),
    ("compiled/steps.py", "losses[0] += loss", "losses[0] = loss"),
    ("compiled/backward.py", "ZERO if block.first else ONE, H, delta", "ZERO, H, delta"),
    ("compiled/backward.py", "kept = ZERO if block.first else ONE", "kept = ZERO"),
    ("compiled/backward.py", "if layer == len(step.layers) - 2:", "if layer == 1:"),
    ("compiled/program.py", "output_scale=self.network.output_scale,", "output_scale=1.0,"),
    ("compiled/program.py", "self.network.gradient[self.order] = self.step.gradient", "self.network.gradient[:] = self.step.gradient"),
    ("compiled/program.py", "np.take(self.network.theta, self.order, out=self.step.theta)", "self.step.theta[:] = self.network.theta"),
    ("compiled/program.py", "return losses[:taken], outputs", "return losses, outputs"),
    ("compiled/formulas.py", "if value.level != ROW:", "if False:"),
    ("runtime/blas.py", 'name.format("s" if real is ctypes.c_float else "d")', 'name.format("s")'),
    ("runtime/compilation.py", "except Exception:  # whatever a damaged", "except OSError:  # whatever a damaged"),
    ("runtime/compilation.py", "suppress(RuntimeError):  # no folder", "suppress(KeyError):  # no folder"),
    ("runtime/compilation.py", "self.flush()", "pass"),
    ("runtime/compilation.py", "builder.or_(before, ir.Constant(ir.IntType(32), FLUSH))", "before"),
    ("runtime/compilation.py", "nogil=True", "nogil=False"),
    ("runtime/threads.py", " or self.count != self.most)", ")"),
    ("runtime/threads.py", "min(2 * self._interval, LATEST)", "SOONEST"),
    ("runtime/threads.py", "2 * self.options if", "list(self.options) if"),
    ("runtime/threads.py", "[most] if fixed else", "[most] if False else"),
    ("runtime/threads.py", "min(self._seconds[self.count], seconds)", "seconds"),
    ("training/engine.py", "samples * len(network.theta) >= WORTH_COMPILING", "samples * len(network.theta) > WORTH_COMPILING"),
    ("training/trainer.py", "+ (problem is not None)", "+ 1"),
    # The delta recursion.
    ("nn/backpropagation.py", "Z += parameters.b[layer]", "Z -= parameters.b[layer]"),
    ("nn/backpropagation.py", "cache.H.append(activation.f(Z))", "cache.H.append(Z)"),
    ("nn/backpropagation.py", "output_scale * cache.H[-1]", "cache.H[-1]"),
    ("nn/backpropagation.py", "delta = output_scale * slope *", "delta = slope *"),
    ("nn/backpropagation.py", "* activations[-1].f_prime(cache.Z[-1], cache.H[-1])", "* 1"),
    ("nn/backpropagation.py", "cache.inputs[layer].T, delta, out", "cache.inputs[layer].T, 1.0001 * delta, out"),
    ("nn/backpropagation.py", "np.sum(delta, axis=0, out", "np.mean(delta, axis=0, out"),
    ("nn/backpropagation.py", "activations[layer - 1].f_prime", "activations[layer].f_prime"),
    ("nn/backpropagation.py", "f_prime(cache.Z[layer - 1], cache.H[layer])", "f_prime(cache.Z[layer - 1], cache.H[layer - 1])"),
    ("nn/backpropagation.py", "(delta @ parameters.W[layer].T) * f_prime", "delta @ parameters.W[layer].T"),
    ("nn/backpropagation.py", "if layer > 0:", "if layer > 1:"),
    ("nn/backpropagation.py", "if not np.isfinite(value):", "if np.isnan(value):"),
    # Activations.
    ("nn/activations.py", "return h * (1 - h)", "return h * (1 + h)"),
    ("nn/activations.py", "return 1 - h * h", "return 1 - h"),
    ("nn/activations.py", "return 3 * r * r", "return 2 * r * r"),
    ("nn/activations.py", "return 0.01 + 0.99 * np.heaviside", "return 0.01 + np.heaviside"),
    ("nn/activations.py", "return np.where(z > 0, 1, h + 1)", "return np.where(z > 0, 1, h)"),
    ("nn/activations.py", "GELU_B = 0.044715", "GELU_B = 0.044175"),
    ("nn/activations.py", "(1 + 3 * GELU_B * z * z)", "(1 + 2 * GELU_B * z * z)"),
    ("nn/activations.py", "return s + h * (1 - s)", "return s + z * (1 - s)"),
    ("nn/activations.py", "np.exp(-np.maximum(z, -z))", "np.exp(-np.maximum(z, 0))"),
    ("nn/activations.py", "np.exp(shift_logits(z))", "np.exp(z)"),
    ("nn/activations.py", "if not error[worst] <= tolerance:", "if error[worst] > 1:"),
    # Losses.
    ("nn/losses.py", "return value / n, slope / n", "return value / n, slope"),
    ("nn/losses.py", 'n = len(rows) if self.reduction == "mean" else 1', "n = len(rows)"),
    ("nn/losses.py", "return 0.5 * (residual * residual)", "return (residual * residual)"),
    ("nn/losses.py", "rows.sum(dtype=np.result_type(rows.dtype, np.float64))", "rows.sum()"),
    ("nn/losses.py", "* targets.sum(axis=1, keepdims=True) - targets", "+ targets"),
    ("nn/losses.py", "- targets * logits)", "+ targets * logits)"),
    ("nn/losses.py", "sigmoid(logits) - targets", "targets - sigmoid(logits)"),
    ("nn/losses.py", "kinks=(-delta, delta)", "kinks=()"),
    # Initializers and parameters.
    ("nn/initializers.py", '"he": lambda fan_in, fan_out: 2 / fan_in', '"he": lambda fan_in, fan_out: 2 / fan_out'),
    ("nn/initializers.py", "2 / (fan_in + fan_out)", "1 / (fan_in + fan_out)"),
    ("nn/initializers.py", "np.sqrt(3 * variance", "np.sqrt(2 * variance"),
    ("nn/initializers.py", "np.where(np.diag(R) < 0, -1, 1)", "np.where(np.diag(R) < 0, 1, 1)"),
    ("nn/network.py", "rng = stream(self.seed,", "rng = stream(0,"),
    ("nn/network.py", "other.parameters = self.parameters.like(dtype)", "pass"),
    ("nn/network.py", "np.divide(X, 255,", "np.divide(X, 256,"),
    ("nn/network.py", "slice(first, min(first + BLOCK_ROWS, len(X)))", "slice(first, min(first + BLOCK_ROWS - 1, len(X)))"),
    ("nn/targets.py", "np.clip(np.rint(outputs[:, 0]), 0, n_classes - 1)", "np.rint(outputs[:, 0])"),
    ("nn/targets.py", "np.rint(outputs[:, 0])", "np.floor(outputs[:, 0])"),
    ("nn/targets.py", "(y < 0) | (y >= n_classes)", "(y < 0) | (y > n_classes)"),
    # Optimizers.
    ("nn/optimizers/gradient_descent.py", "return (theta - eta * g,)", "return (theta + eta * g,)"),
    ("nn/optimizers/gradient_descent.py", "return theta + momentum * v - eta * g, v", "return theta + v, v"),
    ("nn/optimizers/adaptive.py", "s = rho * s + (1 - rho) * g * g", "s = rho * s + g * g"),
    ("nn/optimizers/adaptive.py", "m_hat = m / (1 - beta1**t)", "m_hat = m"),
    ("nn/optimizers/adaptive.py", "v_hat = v / (1 - beta2**t)", "v_hat = v / (1 - beta1**t)"),
    ("nn/optimizers/adaptive.py", "eta * m_hat / (np.sqrt(v_hat) + epsilon)", "eta * m_hat / np.sqrt(v_hat + epsilon)"),
    ("nn/optimizers/adaptive.py", "theta = theta - eta * weight_decay * theta", "g = g + weight_decay * theta"),
    ("nn/optimizers/base.py", "state.t += 1", "state.t = 1"),
    ("nn/optimizers/base.py", 'values["eta"] = values.pop("update_scale") *', 'values["eta"] = bool(values.pop("update_scale")) *'),
    ("nn/optimizers/base.py", "gradient[block]", "gradient[: len(old[0])]"),
    # The check itself.
    ("nn/gradient_check.py", "if error > worst.max_relative_error:", "if error > 1:"),
    ("nn/gradient_check.py", "return None if crossed else", "return"),
    # The training loop.
    ("training/sampling.py", "return -(-self.samples // self.batch_size)", "return self.samples // self.batch_size"),
    ("compiled/steps.py", "steps = (samples + size - 1) // size", "steps = samples // size"),
    ("training/metrics/predictions.py", "self.total += float(loss) * (rows if", "self.total += float(loss) * (1 if"),  # unweighted
    ("training/metrics/predictions.py", "rows = min(batch_size or n, n - first)", "rows = batch_size or n"),
    ("training/metrics/predictions.py", "self.rows += n", "self.rows += 1"),
    ("training/engine.py", "enumerate(range(0, len(rows), context.batch_size))", "enumerate(range(0, len(rows) - context.batch_size + 1, context.batch_size))"),
    ("training/sampling.py", "return rng.permutation(self.n)[: self.samples]", "return np.arange(self.samples)"),
    ("training/sampling.py", 'n if training.sampling == "fresh" else samples', "n"),
    ("training/trainer.py", "purpose: stream(config.seed, purpose)", "purpose: stream(0, purpose)"),
    ("training/engine.py", "*context.labels(rows[batch])", "*context.labels(batch)"),
    ("training/validation.py", "predict_rows(network, self.data.encoded.validation)", "predict_rows(network, self.data.encoded.train)"),
    ("training/validation.py", "names, data.schema.target)", "names, replace(data.schema.target, mean=(), std=()))"),
    ("training/trainer.py", "self.labels[order[part]], size)", "self.labels[part], size)"),
    ("training/trainer.py", "data.schema.input.is_scaled", "False"),
    ("data/splits.py", "return self._given[2].encode()", "return self._given[1].encode()"),
    ("data/splits.py", "self._given = train, validation, test", "self._given = train.encode(), validation.encode(), test.encode()"),
    ("training/archive.py", "FORMAT = 3", "FORMAT = 2"),
    ("training/row_weights.py", "labels.get(str(key), written.get(_as_number(key)))", "labels.get(str(key))"),
    ("training/row_weights.py", "labels.get(str(key), written.get(_as_number(key)))", "written.get(_as_number(key), labels.get(str(key)))"),
    ("training/row_weights.py", "for kind in (int, float):", "for kind in (float,):"),
    ("training/metrics/predictions.py", "if target is not None and target.soft else y", "if False else y"),
    ("training/metrics/predictions.py", "y.argmax(axis=1) if target", "y.argmin(axis=1) if target"),
    ("training/metrics/predictions.py", "cache.outputs, truth[rows])", "cache.outputs, y[rows])"),
    ("training/metrics/evaluation.py", "y, scores, task = predictions.truth,", "y, scores, task = predictions.y,"),
    ("training/health/preflight.py", "network.encode(few.encode().y)", "network.encode(few.y)"),
    ("training/model_file.py", '"schema": schema})', '"schema": None})'),
    ("training/answers.py", "_disarm(value) for value in row", "value for value in row"),
    ("training/answers.py", "return \"\".join(line.removesuffix(\"\\r\\n\") + \"\\n\" for line in lines)", "return \"\".join(lines)"),
    ("training/answers.py", "columns |= {f\"probability {word}\"", "columns = {f\"probability {word}\""),
    ("nn/network.py", "np.hstack([1 - outputs, outputs])", "np.hstack([outputs, 1 - outputs])"),
    ("training/answers.py", "round(float(number), decimals or None)", "float(number)"),
    ("training/answers.py", "columns[name if name not in columns else f\"predicted {name}\"] = values", "columns[name] = values"),
    ("cli/main.py", "stream.encoding if stream.isatty() else \"utf-8\"", "stream.encoding"),
    ("cli/options.py", "    if len(texts) > 1:\n", "    if False:\n"),
    ("cli/predict.py", "([text] if text in there else split_names(text))", "split_names(text)"),
    ("data/parquet.py", "if spared is not None and name not in spared:", "if False:"),
    ("data/parquet.py", "            if spared is None:\n", "            if False:\n"),
    ("report/images.py", "return white if white > 1 else", "return"),
    ("report/images.py", "        return 255.0\n    white", "        return float(images.max())\n    white"),
    ("report/sample_grid.py", "np.clip(image / full, 0, 1) if colours else image", "image"),
    ("report/sample_grid.py", "labels = data.encoded.train.y", "labels = data.train.y"),
    ("training/trainer.py", "state.rows_done, state.seconds, state.last_finite = 0, 0.0, None", "state.rows_done, state.seconds = 0, 0.0"),
    ("training/trainer.py", "        self._restore()\n        self.checkpointer.save_end()", "        self.checkpointer.save_end()"),
    ("training/trainer.py", "state, number = self.state, len(self.state.history) + 1", "state, number = self.state, len(self.state.history)"),
    ("training/trainer.py", "len(state.history) < epochs:", "len(state.history) < epochs - 1:"),
    ("runtime/files.py", "os.fsync(file.fileno())", "pass"),
    ("data/idx.py", "if expected > limit:", "if expected > 1000 * limit:"),
    ("data/untrusted_files.py", "if file.read(1):", "if False:"),
    ("data/untrusted_files.py", "if not stat.S_ISREG(status.st_mode):", "if False:"),
    # graph/
    ("graph/nodes.py", "return (G,) * len(inputs)", "return (G, *[0 * G] * (len(inputs) - 1))"),
    ("graph/nodes.py", "return G * v, G * u", "return G * u, G * v"),
    ("graph/nodes.py", "(G * self.activation.f_prime(inputs[0], value),)", "(G * self.activation.f_prime(value, value),)"),
    ("graph/nodes.py", "back[:, self.taken] = G @ inputs[-1].T", "back[:, self.taken] = 1.0001 * (G @ inputs[-1].T)"),
    ("graph/nodes.py", "whole[:, self.taken].T @ G)", "-(whole[:, self.taken].T @ G))"),
    ("graph/nodes.py", "back[:, [self.column]] = G", "back[:] = G"),
    ("graph/nodes.py", "part.sum(axis=shared, keepdims=True)", "part.mean(axis=shared, keepdims=True)"),
    ("graph/nodes.py", "self.gradient = self.gradient + part", "self.gradient = 0 * self.gradient + part"),
    ("graph/nodes.py", "for node in reversed(nodes):", "for node in nodes:"),
    ("graph/nodes.py", "whole[:, units] = part", "whole[:, units[::-1]] = part"),
    ("graph/building.py", "self.network.output_scale != 1", "self.network.output_scale > 1"),
    ("graph/building.py", "if activation != IDENTITY:", "if True:"),
    ("graph/building.py", "self.places.b[layer - 1][None, units]", "self.places.b[layer - 1][None, units] - 1"),
    ("graph/building.py", "self.network.activations[layer - 1]", "self.network.activations[0]"),
    ("graph/views.py", "np.argsort(-weight", "np.argsort(weight"),
    ("graph/views.py", "count_multipliers(layers) <= MOST_MULTIPLIERS", "count_multipliers(layers) < MOST_MULTIPLIERS"),
    ("graph/views.py", "max(layers) <= MOST_UNITS", "max(layers) < MOST_UNITS"),
    ("graph/views.py", "np.abs(network.W[layer][:, unit])", "network.W[layer][:, unit]"),
    ("graph/views.py", "if not 1 <= layer < len(network.layers):", "if not 0 <= layer < len(network.layers):"),
    ("graph/nodes.py", "for group in reversed(groups)]", "for group in groups]"),
    ("graph/nodes.py", "self.gradient[source] = time", "self.gradient.setdefault(source, time)"),
    ("graph/algebra.py", 'w.write(a, SUM) + sign("−") + w.write(b, PRODUCT), SUM', 'w.write(a, SUM) + sign("−") + w.write(b, SUM), SUM'),
    ("graph/algebra.py", 'self.write(a, PRODUCT) + sign("·") + self.write(b, PRODUCT)', 'self.write(a, SUM) + sign("·") + self.write(b, PRODUCT)'),
    ("graph/algebra.py", "np.argsort(-np.abs(values)", "np.argsort(np.abs(values)"),
    ("graph/algebra.py", "activations.silu_prime: lambda z, h: h + (1 - h)", "activations.silu_prime: lambda z, h: h + (1 + h)"),
    ("graph/algebra.py", "if not all(np.allclose(one, other)", "if not all(True"),
    ("graph/wording.py", "product(factor(entry(node.gradient, at)), as_factor.numbers)", "product(factor(entry(node.value, at)), as_factor.numbers)"),
    ("graph/explanations.py", "[len(consumers[share.source]) > 1", "[len(consumers[share.source]) > 2"),
    ("graph/gradient_agreement.py", "for g in (net.gradient, gradient)", "for g in (gradient, gradient)"),
    ("graph/gradient_agreement.py", "differences[np.isnan(differences)] = np.inf", "differences[np.isnan(differences)] = 0"),
    ("graph/gradient_agreement.py", "np.abs(by_graph - by_recursion) / larger", "np.abs(by_graph - by_recursion)"),
    ("graph/figure.py", "level - shift", "level + shift"),
    ("graph/neuron_drawing.py", '"positive" if w >= 0 else "negative"', '"positive" if w <= 0 else "negative"'),
    ("graph/computation_graph.py", "gradient[node.positions] = node.gradient", "gradient[node.positions] = 2 * node.gradient"),
    ("graph/example_network.py", "network.theta = np.round(network.theta, DIGITS)", "pass"),
    ("data/audit_labels.py", 'target is None or target.task == "regression":\n        return []', 'target is None:\n        return []'),
    ("data/audit_arrays.py", "np.count_nonzero(away > FAR, axis=0)", "np.count_nonzero(away > FAR + 1, axis=0)"),
    ("data/audit_arrays.py", "number * BLOCK + row, value", "row, value"),
    ("data/audit_arrays.py", "distinct >= DISTINCT * len(values) or in_order", "distinct == len(values) or in_order"),
    ("data/audit_leaks.py", "and wrong <= LEFT * wrong_without", ""),
    ("data/audit_leaks.py", "is_left = np.abs(tried", "is_left = -np.abs(tried"),
    ("data/audit_leaks.py", "answers[missing] = np.bincount(without", "answers[missing] = np.bincount(y"),
    ("data/audit_own_table.py", "{split: known[part] for split, part", "{split: part for split, part"),
    ("data/audit_own_table.py", "Place(split, row + 1, f", "Place(split, row, f"),
    ("data/audit_own_table.py", "if key.in_order", "if key.distinct"),
    ("data/audit_table.py", "INDICATOR_SHARE * values.null_count() < len(values)", "True"),
    ("data/audit_table.py", "training = numbers[rows.parts[\"train\"]]", "training = numbers"),
    ("data/large.py", "membership[: round(TEST * rows)] = TESTING", "membership[: round(TEST * rows)] = HELD_OUT"),
    ("data/large.py", "file[done[split] : done[split] + len(own)] = own", "file[: len(own)] = own"),
    ("data/mnist_family.py", "images = images.transpose(0, 2, 1)", "pass"),
    ("data/splits.py", "np.setdiff1d(np.arange(len(y)), drawn)", "np.arange(len(y))"),
    ("data/dataset.py", ".with_validation(held_out)", ""),
    ("data/dataset.py", "y, y_test = flatten_column(y), None if", "y, y_test = y, None if"),
    ("data/mnist_family.py", "self.class_names, self.first_label", "self.class_names"),
    # What rows mean: the schema, rows of arrays and tables, rows of files to predict.
    ("data/schema.py", "tuple(range(first, first + len(names or ())))", "tuple(range(len(names or ())))"),
    ("data/schema.py", "frame = _as_frame(X, self.input)", "frame = X"),
    ("data/schema.py", "return bool(np.isnan(value))", "return False"),
    ("data/table.py", "[*say_index(index), *_say_named_index(source)]", "say_index(index)"),
    ("data/dense.py", 'if labels.dtype.kind not in "fiubUSO":', "if False:"),
    ("data/numpy_files.py", "if start.startswith(ZIP_MAGIC):", "if False:"),
    ("data/schema.py", "elif name not in OF_FILES or not isinstance(value, str):", "elif False:"),
    ("data/array_schema.py", "X = X.astype(np.float32)  # a network", "pass  # a network"),
    ("data/array_schema.py", "return X.astype(np.uint8), ()", "return X, ()"),
    ("data/array_schema.py", "if 0 <= low <= high <= 1:", "if 0 <= low <= high <= 255:"),
    ("data/array_schema.py", "far > max(self.white, reach)", "far > np.inf"),
    ("data/array_schema.py", "0 < reach <= FAR and far", "0 < reach <= 1 and far"),
    ("data/array_schema.py", "(X / np.float32(self.white))", "(X / np.float32(self.high))"),
    ("data/array_schema.py", "return np.moveaxis(X, 1, -1)", "return X"),
    ("data/array_schema.py", "X if isinstance(X, np.memmap) else np.asarray(X)", "np.asarray(X)"),
    ("data/user_data.py", "if other.shape[1:] != y.shape[1:] or (", "if False and ("),
    ("data/user_data.py", "X.size > LARGE and lies_in_file(X)", "X.size > LARGE and isinstance(X, np.memmap)"),
    ("data/large.py", "divided = isinstance(schema.input, ArraySchema) and schema.input.white != 1", "divided = False"),
    ("data/table_dataset.py", "TableSchema.learn(frame[rows], options", "TableSchema.learn(frame, options"),
    ("data/table_dataset.py", "scale_by=y[rows]", "scale_by=y"),
    ("data/table_target.py", "descending=True", "descending=False"),
    ("data/table_dataset.py", "problems = [join_faults(faults), of_target]", "problems = [join_faults(faults)]"),
    ("data/columns.py", "_refuse([*problems, *more])", "_refuse(more)"),
    ("data/table_schema.py", "faults.update(found)", "pass"),
    ("data/table_target.py", "classes = options.classes or find_order(series)", "classes = options.classes"),
    ("data/target_classes.py", "    return tuple(ordered), tuple(ordered.values())", "    return classes, shown"),
    ("data/parquet.py", "orders = _read_orders(source) if pandas", "orders = {} if pandas"),
    ("data/columns.py", "values = column.read(blank_values(frame[column.name], self.missing))", "values = column.read(frame[column.name])"),
    ("data/columns.py", "return values if isinstance(column, DateColumn) else", "return"),
    ("data/column_values.py", "high + (high - low)", "high"),
    ("data/read_options.py", 'unicodedata.normalize("NFC", name.strip())', "name.strip()"),
    ("training/answers.py", "list(range(1, len(outputs) + 1))", "list(range(len(outputs)))"),
    ("data/user_rows.py", "if is_idx and rows.swapped and", "if False and"),
    ("data/user_rows.py", "if is_idx and rows.swapped and", "if rows.swapped and"),
    ("data/user_rows.py", "        schema.target.encode(y)\n", "        pass\n"),
    ("data/user_rows.py", "    if len(keys) == 1:", "    if False:"),
    ("data/user_rows.py", 'NumberFormat(**schema.reading.get("target", {}))', "NumberFormat()"),
    ("data/sources.py", "if md5(part) != checksum:", "if False:"),
    ("training/run.py", 'if data.task == "multi-label" or', 'if data.task == "ordinal" or'),
    ("training/metrics/evaluation.py", "* std / math.sqrt(n)", "* std"),
    ("training/sampling.py", "            rng.shuffle(rows)\n", ""),
    # Dropout, its hash and its seeds.
    ("nn/hashing.py", "x = uint32(x ^ (x >> uint32(15)))", "x = uint32(x ^ (x >> uint32(14)))"),
    ("nn/hashing.py", "hash_bits(uint32(key + uint32(row * uint32(0x9E3779B9))))", "uint32(key + uint32(row * uint32(0x9E3779B9)))"),
    ("nn/dropout.py", "kept = hash_bits(rows + np.arange(units, dtype=np.uint32))", "kept = hash_bits(rows ^ np.arange(units, dtype=np.uint32))"),
    ("nn/dropout.py", ">= threshold(rate)", "> threshold(1 - rate)"),
    ("nn/dropout.py", "type(1 / (1 - rate))", "type(1)"),
    ("nn/dropout.py", "return hash_bits((base + moved).astype(np.uint32))", "return (base + moved).astype(np.uint32)"),
    ("nn/dropout.py", 'seed_words(seed, "dropout", layers)', 'seed_words(0, "dropout", layers)'),
    ("nn/dropout.py", 'seed_words(seed, "dropout", layers)', 'seed_words(seed, "dropout", 1) * layers'),
    ("nn/dropout.py", "np.arange(n, dtype=np.uint32)[:, None])", "np.zeros((n, 1), np.uint32))"),
    ("runtime/seeds.py", "return _seed_sequence(seed, purpose).generate_state(count).tolist()", "return _seed_sequence(seed, PURPOSES[0]).generate_state(count).tolist()"),
    ("runtime/files.py", "fcntl.LOCK_EX | fcntl.LOCK_NB", "fcntl.LOCK_SH | fcntl.LOCK_NB"),
    # Batch normalisation.
    ("nn/batch_norm.py", "variance = (centred * centred).mean(axis=0)", "variance = A.var(axis=0, ddof=min(1, len(A) - 1))"),
    ("nn/batch_norm.py", "np.sqrt(variance + EPSILON)", "(np.sqrt(variance) + EPSILON)"),
    ("nn/batch_norm.py", "delta - delta.mean(axis=0) - X_hat", "delta + delta.mean(axis=0) - X_hat"),
    ("nn/batch_norm.py", "- X_hat * (dgamma / n)", "- X_hat * dgamma"),
    ("nn/batch_norm.py", "    if not normalised.of_batch:\n        return scale * delta, dgamma\n", ""),
    ("nn/batch_norm.py", "(normalised.mean - mean)", "(normalised.mean + mean)"),
    ('nn/batch_norm.py', '(n / (n - 1))', '1'),
    ("nn/batch_norm.py", "variance += (1 - momentum)", "variance += momentum"),
    ("nn/backpropagation.py", "Z = parameters.gamma[layer] * normalised.X_hat", "Z = normalised.X_hat"),
    ("nn/backpropagation.py", "normalise(A) if by_batch else batch_norm", "normalise(A) if True else batch_norm"),
    ("nn/backpropagation.py", "delta *= mask", "pass"),
    ("nn/backpropagation.py", "cache.inputs.append(H if mask is None else H * mask)", "cache.inputs.append(H)"),
    ("nn/backpropagation.py", "cache.inputs[layer].T, delta", "cache.H[layer].T, delta"),
    ("nn/backpropagation.py", "_drop(cache, dropout[layer], None if dropout_keys is None else dropout_keys[layer])", "_drop(cache, dropout[layer], None if dropout_keys is None else dropout_keys[0])"),
    ("nn/losses.py", "rows, slope = weights * rows, weights[:, None] * slope", "rows = weights * rows"),
    ("nn/targets.py", "(1 - smoothing) * targets + smoothing / classes", "(1 - smoothing) * targets + smoothing"),
    ("nn/targets.py", 'if output == "softmax" else 2', 'if output else 2'),
    ("nn/parameters.py", "other.statistics[:] = self.statistics", "pass"),
    ("nn/parameters.py", "views[1][:] = 1", "pass"),
    ("nn/parameters.py", "self.theta[:], self.gradient[:], self.statistics[:] = theta, gradient, statistics", "self.theta[:], self.gradient[:] = theta, gradient"),
    ("nn/network.py", "                        gamma[:] = 1\n", "                        gamma[:] = 0\n"),
    ("nn/network.py", "self.input_batch(X)), momentum=0)", "self.input_batch(X)))"),
    ("nn/network.py", "no_dropout = [0.0] * len(self.W)", "no_dropout = self.dropout"),
    ("nn/gradient_check.py", "net.backward(net.forward(X, dropout_keys), targets)", "net.backward(net.forward(X), targets)"),
    # What is done around an optimizer's rule.
    ("nn/update.py", "g = g + penalty_2 * theta", "g = g + 2 * penalty_2 * theta"),
    ("nn/update.py", "g = g + penalty_1 * np.sign(theta)", "g = g + penalty_1 * theta"),
    ("nn/update.py", "on = 1.0 if weights else 0.0", "on = 1.0"),
    ("nn/update.py", "on * self.weight_decay * numbers[\"eta\"]", "on * self.weight_decay"),
    ("nn/update.py", 'numbers["eta"] = numbers["eta"] * factor', 'numbers["eta"] = numbers["eta"]'),
    ("nn/update.py", "self.ema, (1 + t) / (10 + t)", "self.ema, t / (10 + t)"),
    ("nn/update.py", "np.minimum(self.ema,", "np.maximum(self.ema,"),
    ("nn/update.py", "return decay * average + (1 - decay) * theta", "return (1 - decay) * average + decay * theta"),
    ("nn/update.py", "state.memory.append(parameters.theta.copy())", "state.memory.append(0 * parameters.theta)"),
    ("nn/update.py", "np.minimum(np.maximum(g, -self.clip_value), self.clip_value)", "np.minimum(g, self.clip_value)"),
    ("nn/update.py", "for W in parameters.W[:-1]:", "for W in parameters.W:"),
    ("nn/update.py", "(W * W).sum(axis=0)", "(W * W).sum(axis=1, keepdims=True)"),
    ("nn/update.py", "np.where(longer, limit /", "np.where(True, limit /"),
    ("nn/update.py", "learning_rate=factor * self.optimizer.learning_rate", "learning_rate=self.optimizer.learning_rate"),
    ("nn/update.py", "theta[block] = self._shrink(theta[block], known[\"shrink\"])", "pass"),
    ("nn/update.py", "        theta = self._shrink(theta, shrink)\n", ""),
    # The compiled step with all that.
    ("compiled/gather.py", "threshold else ZERO", "threshold else numbers[j]"),
    ("compiled/gather.py", "hash_bits(uint32(key + uint32(first + j)))", "hash_bits(uint32(key + uint32(j)))"),
    ("compiled/backward.py", "- share * db[j] - hat[j]", "- hat[j]"),
    ('compiled/forward.py', '(spread[j] / real(n - 1) - variance[j])', '(spread[j] / real(n) - variance[j])'),
    ("compiled/forward.py", "weight = step.weights[block.rows[i]]", "weight = step.weights[i]"),
    ("compiled/forward.py", "block.scale * weight,", "block.scale,"),
    ("compiled/update.py", "middle, w + unit_size(step, layer) * width, scalars[1])", "middle, w + unit_size(step, layer) * width, scalars[0])"),
    ("compiled/update.py", "limit / length if length > limit else ONE", "limit / length"),
    ("compiled/update.py", "real(step.clip_norm / norm) if norm > step.clip_norm", "real(step.clip_norm) if norm > step.clip_norm"),
    ("compiled/steps.py", "start - first,", "0,"),
    ("compiled/program.py", "rows = self.batch_size if normalises.any() else", "rows = self.batch_size if False else"),
    ("compiled/program.py", "factors=np.array([1 / (1 - rate)", "factors=np.array([1"),
    ("compiled/program.py", "here[:], natural[:] = (natural, natural) if read else (here, here)", "here[:], natural[:] = natural, natural"),
    ("training/trainer.py", "copy.deepcopy(state.generators)", "state.generators"),
    ("training/trainer.py", "state.last_finite = state.last_finite or copy_parameters", "state.last_finite = copy_parameters"),
    ("training/train_state.py", "            return saved\n", "            return value\n"),
    ("training/train_state.py", 'value.theta[:], value.parameters.statistics[:] = saved["theta"], saved["statistics"]', "pass"),
    ("training/train_state.py", "            value.load_state_dict(saved)\n", "            pass\n"),
    ("training/train_state.py", "return ScheduleState.from_dict(saved)", "return value"),
    ("training/early_stopping.py", 'self.best, self.best_epoch, self.waited = state["best"], state["best_epoch"], state["waited"]', 'self.best, self.best_epoch = state["best"], state["best_epoch"]'),
    ("training/trainer.py", "self.state.seconds += now - self.began", "self.state.seconds = now - self.began"),
    ("training/trainer.py", "max(0, number - state.average_after)", "max(0, number - state.average_after - 1)"),
    ("training/trainer.py", "and (moving is not None or state.averaged_epochs > 1)", "and moving is not None"),
    ("training/trainer.py", "/ theta.dtype.type(state.averaged_epochs)", "/ 2"),
    ("training/trainer.py", "self.components.optimizer.learning_rate * factor,", "self.components.optimizer.learning_rate,"),
    ("training/trainer.py", "learned.loss if loss is None else loss)", "learned.loss)"),
    ("training/row_weights.py", "sample_weight = np.asarray(sample_weight)[:drawn]", "pass"),
    ("training/trainer.py", "self.state.best = copy_parameters(self.state.eval_network)", "self.state.best = copy_parameters(self.state.network)"),
    ("training/trainer.py", "state.watch.rule.restore_best and state.best is not None", "state.best is not None"),
    ("training/trainer.py", "if np.isfinite(state.network.theta).all():", "if True:"),
    ("training/trainer.py", "smooth(targets, training.label_smoothing, network.loss.output)", "targets"),
    ("training/train_state.py", "return [network.theta.copy(), network.parameters.statistics.copy()]", "return [network.theta, network.parameters.statistics]"),
    ('training/engine.py', '            network.track(cache)\n', ''),
    ("training/engine.py", "factors = mask_keys(context.seed, numbers, len(network.W)), context.factors(numbers)", "factors = mask_keys(context.seed, numbers - numbers[0], len(network.W)), context.factors(numbers)"),
    ("training/step_context.py", "None if self.weights is None else self.weights[rows]", "None"),
    ("training/run.py", "        check_same_data(config, load_model(folder.path).schema, data)\n", ""),
    ("training/continuing.py", "    check_data(config, data)\n", ""),
    ("training/continuing.py", "if (data.validation_size, data.split_seed) != (config.data.validation, config.data.split_seed):", "if False:"),
    ("training/continuing.py", '{**self.state[name], "theta": theta, "statistics": statistics}', "self.state[name]"),
    ("training/continuing.py", "if run.config.checksums != data.checksums:", "if False:"),
    ("training/continuing.py", "== (config.seed, config.checksums, config.start)", "== (config.seed, config.checksums, None)"),
    ("training/continuing.py", "if components.optimizer.full_batch and not any(network.dropout):", "if False:"),
    ("training/checkpointer.py", "        self.run.remember(self.state)\n", ""),
    ("training/model_file.py", "schema is not None and schema.input.is_scaled", "False"),
    ("training/validation.py", "if not largest[row] > FAR * usual:", "if False:"),
    ("data/arrays.py", "np.asarray(sample_weight)[rest]", "np.asarray(sample_weight)[: len(rest)]"),
    ("nn/backpropagation.py", "_multiply_rows if by_row else np.matmul", "np.matmul if by_row else np.matmul"),
    ("nn/backpropagation.py", "rows = ROWS_AT_ONCE if d_out > 1 else 1", "rows = n"),
    ("nn/backpropagation.py", "np.ascontiguousarray(H)", "H"),
    ("nn/backpropagation.py", "slice(min(end, d_out) - width, min(end, d_out))", "slice(min(end, d_out) - width + 1, min(end, d_out))"),
    ("nn/network.py", "if not X.dtype.isnative:", "if False:"),
    ("data/dense.py", "np.ma.filled(values.astype(np.float64), np.nan)", "values.data"),
    ("data/dense.py", "if left < 2 < given + 1:", "if False:"),
    ("training/trainer.py", 'config.environment.get("kernels", training.kernels)', "training.kernels"),
    ("training/trainer.py", 'if state.ended == "epochs" and self.training.epochs > done:', "if False:"),
    ("training/trainer.py", "self.run.history, self.run.stopped = state.history, state.ended", "self.run.history = state.history"),
    ("training/run.py", 'saved.get("sample_weight")', "None"),
    ("training/trainer.py", "        self.checkpointer.save_checkpoint()  # before the network is given other parameters\n        run.health = self._diagnose(warn=True)\n        if state.watch is not None and state.watch.rule.restore_best and state.best is not None:\n            state.set_parameters(state.best)\n            run.best_epoch = state.watch.best_epoch\n        else:\n            state.set_parameters(copy_parameters(state.eval_network))\n", "        run.health = self._diagnose(warn=True)\n        if state.watch is not None and state.watch.rule.restore_best and state.best is not None:\n            state.set_parameters(state.best)\n            run.best_epoch = state.watch.best_epoch\n        else:\n            state.set_parameters(copy_parameters(state.eval_network))\n        self.checkpointer.save_checkpoint()  # before the network is given other parameters\n"),
    ("training/callbacks.py", "            ends.callback(_end, callback, run)\n", "            pass\n"),
    ("training/model_file.py", 'network.parameters.statistics[:] = saved["statistics"]', "pass"),
    ("training/checkpointer.py", "        self.run.unsaved = failed\n", "        self.run.unsaved = failed or self.run.unsaved\n"),
    ("training/checkpointer.py", "if failed is not None and self.run.unsaved is None:", "if failed is not None:"),
    ("training/checkpointer.py", "else epoch % every == 0", "else epoch % every == 1 % every"),
    ("training/archive.py", 'if entry["sha256"] != _checksum(entry["values"], arrays):', "if False:"),
    ("training/archive.py", 'f"{name} {arrays[name].dtype} {arrays[name].shape}"', "name"),
    ("training/archive.py", "        digest.update(arrays[name].data)\n", ""),
    ("training/archive.py", "arrays[name] = np.ascontiguousarray(value)", "arrays[name] = value"),
    ('training/run_folder.py', '        with lock_file(self.path / LOCK_FILE):\n            for left', '        with contextlib.nullcontext():\n            for left'),
    ('training/run_folder.py', '                left.unlink(missing_ok=True)\n', '                pass\n'),
    ("training/checkpointer.py", "self.folder.save_config(self.run.config)", "pass"),
    ('training/history.py', 'measures = self.last.measures if self.last else {}', 'measures = {}'),
    ('runtime/files.py', 'with contextlib.suppress(OSError):  # it has', 'with contextlib.suppress(FileNotFoundError):  # it has'),
    # Batch normalisation in the graph.
    ("graph/nodes.py", "sum(axis=0) * -0.5 * std**-3", "sum(axis=0) * -std**-3"),
    ("graph/nodes.py", "by_mu = -directly.sum(axis=0) -", "by_mu = directly.sum(axis=0) -"),
    ("graph/nodes.py", "centred / n + by_mu / n", "centred / n + by_mu"),
    ("graph/explanations.py", "if s.source is node\n", "if s.amount\n"),
    ("graph/wording.py", "        other = node.inputs[1 - k]\n", "        other = node.inputs[k]\n"),
    # Health: what is measured, what follows, what is advised.
    ("training/health/vitals.py", "dead = (nothing & (H == 0)).all(axis=0)", "dead = (nothing & (H == 0)).any(axis=0)"),
    ("training/health/vitals.py", "* self.steepest[index]) & (np.abs(Z) > 1)", "* self.steepest[index])"),
    ("compiled/program.py", "        self.store_theta()\n", "        pass\n"),
    ("training/trainer.py", "                self.engine.store_theta()\n", "                pass\n"),
    ("training/health/vitals.py", "moved = change / length if", "moved = change * length if"),
    ("training/health/vitals.py", "network.gradient[:] /= rows", "network.gradient[:] /= 1"),
    ("training/health/vitals.py", "weights / weights.mean()", "weights"),
    ("training/health/vitals.py", "network.copy(), X, targets", "network, X, targets"),
    ("training/health/vitals.py", "np.vstack([self.network.W[index], self.network.b[index]])", "np.vstack([self.network.W[index], 0 * self.network.b[index]])"),
    ("training/health/evidence.py", "floor = _cost(loss, targets, targets, weights)", "floor = 0.0"),
    ("training/health/evidence.py", "costs[place], floor", "costs[0], floor"),
    ("training/health/evidence.py", "np.average(targets, axis=0, weights=weights)", "np.average(targets, axis=0)"),
    ("training/health/evidence.py", "return rest / span if span > 0", "return rest if span > 0"),
    ("training/health/evidence.py", "int(well[-1]) + 1", "int(well[0]) + 1"),
    ("training/health/sharpness.py", "return 2 * (1 + momentum)", "return 2 * (1 - momentum)"),
    ("training/health/sharpness.py", "v = (ahead - behind) / (2 * length)", "v = (ahead - behind) / length"),
    ("training/health/remedies.py", "limit / 2 / _mean_factor(evidence)", "2 * limit / _mean_factor(evidence)"),
    ("training/health/remedies.py", "known = [evidence.rate / 10,", "known = [evidence.rate * 10,"),
    ("training/health/remedies.py", "max(evidence.rate * 10, usual_rate(evidence))", "max(evidence.rate / 10, usual_rate(evidence))"),
    ("training/health/remedies.py", "return evidence.rate * _mean_factor(evidence)", "return evidence.rate"),
    ("training/health/remedies.py", "update_scale=1.0)", "update_scale=2.0)"),
    ("training/health/monitor.py", "return self._due(done) or self._due(done + 1)", "return self._due(done)"),
    ("training/health/monitor.py", "return min(steps, *(", "return max(steps, *("),
    ("training/health/monitor.py", '        self.theta = state["theta"]\n', "        self.theta = None\n"),
    ("training/health/monitor.py", "if diagnosis.sick and diagnosis.kind not in self.warned:", "if diagnosis.sick:"),
    ("training/health/rules.py", "evidence.end.step >= ENOUGH and not any", "not any"),
    ("training/health/rules.py", "last.validation_accuracy is not None and gap >= APART and", ""),
    ("training/health/rules.py", " or evidence.training.early_stopping is not None", ""),
    ("training/health/preflight.py", "copy.dropout = (0.0,) * len(copy.dropout)", "pass"),
    ("training/health/preflight.py", "<= rate <= found.highest_stable", "<= rate"),
    # Sentences.
    ("locales/catalogue.py", 'values.get("n") == 1', 'values.get("n") == 2'),
    ("locales/catalogue.py", "return str(value) if isinstance(value, float) and not math.isfinite(value) else value", "return value"),
    ("locales/catalogue.py", "names[:most]]\n", "names]\n"),
    ("locales/catalogue.py", "            str(found)\n        except", "            found\n        except"),
    ("study/suggestions.py", "if {**chosen, name: order[-2]} in equal:", "if False:"),
    ("study/suggestions.py", "hardest = level / len(comparisons)", "hardest = level"),
    ("study/recommendation.py", "<= test.std / math.sqrt(len(test.seeds))", "<= test.std"),
    ("study/interactions.py", "if strongest.corrected > level:", "if strongest.corrected < level:"),
    ("study/analysis_of_variance.py", "effects = effects - effects.mean(axis=axis, keepdims=True)", "effects = effects - effects.mean()"),
    ("report/axes.py", "math.ceil(low / step - 1e-9)", "math.floor(low / step - 1e-9)"),
    ("report/curves.py", "spread = _place(1 + first, 1 + last, True)", "spread = _place(1 + first, 1 + last, False)"),
    ("report/curves.py", "rows.min(axis=0).tolist(), rows.max(axis=0)", "rows.max(axis=0).tolist(), rows.min(axis=0)"),
    ("report/curves.py", "    y_of = _place(high, low, logarithmic)", "    y_of = _place(low, high, logarithmic)"),
    ("report/error_analysis.py", "np.argsort(-losses[wrong]", "np.argsort(losses[wrong]"),
    ("training/metrics/predictions.py", "np.where(labels > 0, answers[:, 0], 1 - answers[:, 0])", "answers[:, 0]"),
    ("training/metrics/predictions.py", "predicted = self.answers.astype(np.float64)", "predicted = self.outputs.astype(np.float64)"),
    ("cli/train.py", "functools.cache(functools.partial(predict_test_rows, ended.network, data))", "functools.partial(predict_test_rows, ended.network, data)"),
    ("training/metrics/evaluation.py", "split = take_test_rows(X)", "split = X.train"),
    ("report/page_tables.py", "totals = confusion.sum(axis=1)", "totals = confusion.sum(axis=0)"),
    ("report/page_tables.py", "if 0.9995 <= value < 1", "if 0.9995 <= value"),
    ("graph/pictures.py", "1 - shares[:, :, None]", "shares[:, :, None]"),
    ("graph/pictures.py", "struct.pack(\">I\", zlib.crc32(name + part))", "struct.pack(\">I\", zlib.crc32(part))"),
    ("report/vital_curves.py", "len(layer.dead) / layer.units", "len(layer.saturated) / layer.units"),
    ("report/vital_curves.py", "for units in (layer.dead, layer.saturated)", "for units in (layer.saturated, layer.dead)"),
    ("report/vital_curves.py", " and not any(curves[-1].mean)", ""),
    ("report/diagnoses.py", "findings.sort(key=lambda finding: not finding.sick)", "pass"),
    ("report/rendering.py", '.replace("<", "&lt;")', ""),
    ("report/run_page.py", "if len(history) == planned else", "if len(history) else"),
    # Studies: the pool, the layout, the tests, and what follows.
    ("study/process_pool.py", 'worker.busy = kind in ("progress", "waiting")', "worker.busy = True"),
    ("study/process_pool.py", " and os.getppid() == parent.pid", ""),
    ("study/process_pool.py", "    os.close(handle)\n", ""),
    ("study/layout.py", "if busy <= warm:", "if warm:"),
    ("study/layout.py", "math.ceil(runs / many) * many / found.side_by_side", "runs / found.side_by_side"),
    ("study/hypothesis_tests.py", "(len(p) - rank) * p[place]", "len(p) * p[place]"),
    ("study/findings.py", "missing=len(places) - len(ordered),", "missing=0,"),
    ("study/final_evaluation.py", "if found.missing or recommended is None or", "if recommended is None or"),
    ("study/specification.py", "        first |= changes\n", "        pass\n"),
    # Published tables, repeated.
    ("reproductions/publication.py", "if not self.low <= self.printed <= self.high:", "if self.low > self.high:"),
    ("reproductions/publication.py", "        *(one for order in found.orders for one in order.variants),\n", ""),
    ("reproductions/outcomes.py", 'if network.loss.reduction == "sum" else 1\n    constant', "if False else 1\n    constant"),
    ("reproductions/outcomes.py", "found.loss / rows", "found.loss"),
    ("reproductions/outcomes.py", "data.encoded.train.y[: sampler.n]", "data.encoded.train.y"),
    ("reproductions/outcomes.py", "last.mean() >= constant_loss", "last.mean() > constant_loss"),
    ("reproductions/outcomes.py", "losses[-min(LAST, -(-len(losses) // 2)) :]", "losses[-LAST:]"),
    ("reproductions/outcomes.py", "and turns.mean() >= TURNS and swings", "and turns.mean() >= TURNS"),
    ("reproductions/outcomes.py", "return max(values) if larger_is_better(quantity) else min(values)", "return max(values)"),
    ("reproductions/outcomes.py", "if not values or self.row.status != FINISHED:", "if not values:"),
    ("reproductions/outcomes.py", "        if self.row.status == FAILED:\n            return \"\"\n", ""),
    ("reproductions/reproduce.py", 'return self.figure.seeds == "best" or len(self.seeds) == self.of', "return True"),
    ("reproductions/reproduce.py", "return SAME if self.same_behaviour and self.row.behaviour else NOT", "return SAME if self.same_behaviour else NOT"),
    ("reproductions/reproduce.py", "if self.same_behaviour and all(one.inside", "if self.same_behaviour and any(one.inside"),
    ("reproductions/reproduce.py", "set.intersection(*(set(one.seeds)", "set.union(*(set(one.seeds)"),
    ("reproductions/reproduce.py", "all(a < b for a, b in", "all(a <= b for a, b in"),
    ("reproductions/open_questions.py", "float(np.mean(y)) - math.sqrt(spread)", "float(np.mean(y)) + math.sqrt(spread)"),
    ("reproductions/open_questions.py", "2 * loss / len(y) - float(np.var(y))", "loss / len(y) - float(np.var(y))"),
    ("reproductions/open_questions.py", "len(losses) == 1 and all(map(_is_constant, runs.values()))", "len(losses) == 1"),
    ("reproductions/open_questions.py", "2 * after - before for", "after for"),
    ("reproductions/open_questions.py", "return not one.lost and one.train_loss", "return one.train_loss"),
    ("reproductions/open_questions.py", "one.train_loss < found.constant_loss", "one.train_loss <= found.constant_loss"),
    ("reproductions/open_questions.py", "clear = all(one.verdict", "clear = any(one.verdict"),
    ("reproductions/open_questions.py", "if together.verdict == INTERACT else", "if together.verdict != INTERACT else"),
    ("reproductions/page.py", "few = one.mean is not None and len(one.seeds) < seeds", "few = False"),
    ("data/dataset.py", "replace(self, validation=self.test, validation_size=", "replace(self, validation=self.train, validation_size="),
    # Options: their one definition, and the flags made of it.
    ("training/options.py", 'return rest | {"optimizer": resolve_optimizer(values).spec}', "return rest"),
    ("training/options.py", "plain or isinstance(value, int | float)", "plain"),
    ("training/options.py", "elif value is not None and not value >= 0:", "elif False:"),
    ("training/options.py", 'return getattr(value, "spec", value)', "return value"),
    ("training/config.py", "if meant in known and plain in", "if plain in"),
    ("training/config.py", 'name.replace("-", "_").lower()', "name"),
    ("training/fit.py", "raise unknown_option(name, fields, known)", "raise unknown_option(name, fields)"),
    ("cli/options.py", "return int(text) if text.isdecimal() else float(text)", "return float(text)"),
    ("cli/train.py", 'described or "standardize" in changes["data"] or', "described or"),
]  # fmt: skip


def plant(mutant, folder):
    """Copy what the tests need into a folder, with the fault in it."""
    for name in ("src", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    if mutant:
        name, old, new = mutant
        path = folder / "src" / "glassnet" / name
        path.write_text(path.read_text().replace(old, new))


def suites(mutant):
    """Return the arguments of the runs of pytest that may notice a mutant: first those that are likely to, quickly.

    These are its module's own tests, and those of `LIKELY`. Without a mutant: the tests of all floors.
    """
    if not mutant:
        return [[f"tests/{floor}" for floor in FLOORS]]
    module = Path("tests") / mutant[0]
    floor, own = module.parent, module.with_name(f"test_{module.name}")
    first = [
        str(path)
        for path in (own, *(floor / name for name in LIKELY.get(floor.name, ())))
        if (ROOT / path).exists()
    ]
    return [*([path] for path in first), [str(floor), *(f"--ignore={path}" for path in first)]]


def notices(mutant):
    """Return the first test that fails with a mutant (without one: that fails at all), "" if none does."""
    with tempfile.TemporaryDirectory(prefix="glassnet-mutant-") as name:
        folder = Path(name)
        plant(mutant, folder)
        return next(filter(None, (failing(folder, chosen) for chosen in suites(mutant))), "")


def failing(folder, chosen):
    """Return the first test that fails in a copy of the package, "" if none does."""
    options = ["-x", "-q", "-p", "no:cacheprovider", "-m", "not slow and not browser"]
    environment = {
        **os.environ,
        "PYTHONPATH": str(folder / "src"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENBLAS_NUM_THREADS": "1",  # two runs at a time
    }
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *chosen],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        return "ran on without end"
    if done.returncode not in (0, 1, 2, 5):  # 1: a test failed; 2: one could not even be loaded; 5: there was none
        raise SystemExit(f"mutants: pytest could not run:\n{done.stdout}{done.stderr}")
    if done.returncode in (0, 5):
        return ""
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return failed[0].split(" - ")[0].partition(" ")[2] if failed else "the tests could not go on"


def main(words):
    """Plant the mutants, or those that a word selects; return 1 if any survives."""
    for name, old, _ in MUTANTS:
        count = (ROOT / "src" / "glassnet" / name).read_text().count(old)
        if count != 1:
            raise SystemExit(f"mutants: {name}: {old!r} stands there {count} times, expected once")
    chosen = [m for m in MUTANTS if not words or any(word in f"{m[0]} {m[1]}" for word in words)]
    began = time.monotonic()
    if failed := notices(None):
        raise SystemExit(f"mutants: {failed} fails without any fault; mend that first")
    survivors = 0
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for (name, old, new), killer in zip(chosen, pool.map(notices, chosen), strict=True):
            survivors += not killer
            print(f"{'killed  ' if killer else 'SURVIVED'} {name}: {old!r} -> {new!r}  {killer}", flush=True)
    minutes = (time.monotonic() - began) / 60
    print(f"{len(chosen) - survivors} of {len(chosen)} mutants killed in {minutes:.1f} minutes")
    return min(survivors, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
