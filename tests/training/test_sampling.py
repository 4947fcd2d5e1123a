from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassnet.data.splits import Split
from glassnet.errors import UsageError
from glassnet.nn.optimizers import OPTIMIZERS
from glassnet.training.options import TrainingConfig
from glassnet.training.sampling import BLOCK, WINDOW, Sampler, evenly_spread


def plan(n_train=100, *, full_batch=False, **options):
    data = SimpleNamespace(train=Split(np.zeros((n_train, 1)), np.zeros(n_train)))
    optimizer = OPTIMIZERS.resolve("gd" if full_batch else "sgd")
    return Sampler.of_run(TrainingConfig.model_construct(**options), optimizer, data)


sizes = st.integers(1, 60).flatmap(
    lambda n: st.integers(1, n).flatmap(lambda m: st.tuples(st.just(n), st.just(m), st.integers(1, m)))
)


@given(sizes, st.integers(0, 3))
def test_an_epoch_takes_its_samples_once_each_and_counts_the_last_short_batch(size, seed):
    n, samples, batch_size = size
    sampler = Sampler(n, samples, batch_size)
    rows = sampler.order(np.random.default_rng(seed))
    assert len(rows) == len(set(rows.tolist())) == samples
    assert rows.min() >= 0
    assert rows.max() < n
    assert sampler.steps == len(range(0, samples, batch_size))


def test_epochs_are_shuffled_and_repeat_with_the_generator():
    sampler, rng = Sampler(50, 50, 50), np.random.default_rng(0)
    first, second = (sampler.order(rng).tolist() for _ in range(2))
    assert first != second
    assert sorted(first) == sorted(second) == list(range(50)) != first
    assert sampler.order(np.random.default_rng(0)).tolist() == first


def test_fresh_samples_come_from_all_rows_and_first_from_the_first_alone():
    rng = np.random.default_rng(0)
    fresh = plan(samples_per_epoch=10, sampling="fresh")
    assert {row for _ in range(200) for row in fresh.order(rng).tolist()} == set(range(100))
    first = plan(samples_per_epoch=10, sampling="first")
    for _ in range(5):
        assert set(first.order(rng).tolist()) == set(range(10))


def test_every_row_is_drawn_equally_often():
    # 2,000 epochs of 10 of 100 rows: 200 draws of each on average, standard deviation 13.
    rng, sampler = np.random.default_rng(0), plan(samples_per_epoch=10)
    counts = np.bincount(np.concatenate([sampler.order(rng) for _ in range(2000)]), minlength=100)
    assert counts.sum() == 20_000
    assert np.abs(counts - 200).max() < 60


@pytest.mark.parametrize(
    ("samples_per_epoch", "samples"),
    [(None, 100), (1.0, 100), (1, 1), (0.25, 25), (0.017, 2), (100, 100), (60.0, 60), (0.005001, 1)],
)
def test_samples_per_epoch_is_a_share_up_to_one_or_a_number(samples_per_epoch, samples):
    for sampling in ("fresh", "first"):
        sampler = plan(samples_per_epoch=samples_per_epoch, sampling=sampling)
        assert sampler.samples == samples
        assert sampler.n == (100 if sampling == "fresh" else samples)


@pytest.mark.parametrize("samples_per_epoch", [101, 1.5, 100.5, 0.004, 0, 99.5, float("inf"), 1e300])
def test_samples_per_epoch_that_are_no_rows_are_refused(samples_per_epoch):
    with pytest.raises(UsageError) as caught:
        plan(samples_per_epoch=samples_per_epoch)
    assert str(caught.value) == (
        f"samples_per_epoch: takes a number of the 100 training rows, or a share up to 1.0, "
        f"got {samples_per_epoch}"
    )


def test_batches_hold_128_rows_or_all_where_there_are_fewer():
    assert plan(1000).batch_size == 128
    assert plan(100).batch_size == 100
    assert plan(1000, samples_per_epoch=50).batch_size == 50
    assert plan(1000, batch_size=7).batch_size == 7
    assert plan(1000, batch_size=1000).batch_size == 1000


def test_full_batch_takes_all_samples_of_an_epoch_in_one_step():
    sampler = plan(1000, samples_per_epoch=600, full_batch=True)
    assert (sampler.batch_size, sampler.steps) == (600, 1)
    assert plan(1000, full_batch=True).batch_size == 1000


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"batch_size": 101}, "batch_size: 101 is more than the 100 samples of an epoch"),
        ({"batch_size": 11, "samples_per_epoch": 10}, "batch_size: 11 is more than the 10 samples of an epoch"),
        (
            {"batch_size": 100, "full_batch": True},
            "batch_size: gd and lbfgs take all samples of an epoch at once; leave it out, or take sgd",
        ),
    ],
)
def test_batch_sizes_that_do_not_fit_are_refused(options, said):
    with pytest.raises(UsageError) as caught:
        plan(**options)
    assert str(caught.value) == said


@pytest.mark.parametrize("n", [1, BLOCK, 3 * BLOCK + 7, (WINDOW + 2) * BLOCK + 1])
def test_rows_drawn_in_blocks_are_all_drawn_once_and_near_each_other(n):
    sampler = Sampler(n=n, samples=n, batch_size=32, in_blocks=True)
    order = sampler.order(np.random.default_rng(0))
    assert (np.sort(order) == np.arange(n)).all()
    again = sampler.order(np.random.default_rng(0))
    assert (order == again).all()
    assert n == 1 or np.mean(np.diff(order) == 1) < 0.01  # shuffled within a window, too
    window = order[: (WINDOW - 1) * BLOCK]  # a window has a block less of rows where the last block is short
    assert len(np.unique(window // BLOCK)) <= WINDOW


def test_rows_are_spread_evenly_from_the_first_to_the_last():
    assert evenly_spread(10, 4).tolist() == [0, 3, 6, 9]
    assert evenly_spread(2, 4).tolist() == [0, 1]
