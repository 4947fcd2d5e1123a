import numpy as np
import pytest
from tests.loops import for_each

from glassnet.errors import UsageError
from glassnet.nn.initializers import INITIALIZERS, VARIANCES
from glassnet.nn.network import Network

NAMES = sorted(INITIALIZERS)
D_IN, D_OUT = 300, 500

# Variance of each at a (300, 500) matrix, from the papers' formulas
VARIANCE = {
    "uniform": 4 / 12,
    "uniform(2, 5)": 9 / 12,
    "normal": 1,
    "normal(mean=2, std=0.5)": 0.25,
    "glorot_uniform": 2 / 800,
    "glorot_normal": 2 / 800,
    "he_uniform": 2 / 300,
    "he_normal": 2 / 300,
    "lecun_uniform": 1 / 300,
    "lecun_normal": 1 / 300,
}
MEAN = {"uniform(2, 5)": 3.5, "normal(mean=2, std=0.5)": 2}


def draw(spec, shape, seed=0):
    return INITIALIZERS.resolve(spec).draw(shape, np.random.default_rng(seed))


@pytest.mark.parametrize("spec", sorted(VARIANCE))
def test_mean_and_variance_are_the_documented_ones(spec):
    W = draw(spec, (D_IN, D_OUT))
    std = np.sqrt(VARIANCE[spec])
    # Of 150,000 draws the mean errs by 0.0026 standard deviations, the variance by 0.37 % at most (normal):
    # five times that is not reached by chance.
    assert W.mean() == pytest.approx(MEAN.get(spec, 0), abs=5 * std / np.sqrt(W.size))
    assert W.var() == pytest.approx(VARIANCE[spec], rel=5 * np.sqrt(2 / W.size))
    assert abs(np.corrcoef(W[:-1].ravel(), W[1:].ravel())[0, 1]) < 5 / np.sqrt(W.size)


@pytest.mark.parametrize(
    ("spec", "limit"),
    [
        ("uniform", 1),
        ("glorot_uniform", np.sqrt(6 / 800)),
        ("he_uniform", np.sqrt(6 / 300)),
        ("lecun_uniform", np.sqrt(3 / 300)),
    ],
)
def test_a_uniform_draw_fills_its_range_and_stays_inside(spec, limit):
    W = draw(spec, (D_IN, D_OUT))
    assert 0.999 * limit < W.max() <= limit
    assert -limit <= W.min() < -0.999 * limit


@pytest.mark.parametrize("spec", ["normal", "glorot_normal", "he_normal", "lecun_normal"])
def test_a_normal_draw_has_normal_tails(spec):
    W = draw(spec, (D_IN, D_OUT)) / np.sqrt(VARIANCE[spec])
    # 4.55 % lie beyond two standard deviations; a uniform distribution has none there
    assert np.mean(np.abs(W) > 2) == pytest.approx(0.0455, abs=0.003)


def test_every_family_of_variances_is_there_in_both_shapes():
    assert {f"{family}_{kind}" for family in VARIANCES for kind in ("uniform", "normal")} <= set(NAMES)


@pytest.mark.parametrize("shape", [(50, 20), (20, 50), (30, 30)])
def test_orthogonal_has_orthonormal_rows_or_columns(shape):
    Q = draw("orthogonal", shape)
    assert Q.shape == shape
    product = Q.T @ Q if shape[0] >= shape[1] else Q @ Q.T
    np.testing.assert_allclose(product, np.eye(min(shape)), atol=1e-13)


def test_orthogonal_is_uniformly_distributed():
    """Householder's QR alone gives R a fixed sign pattern; a uniform Q has both signs alike on its diagonal."""
    rng = np.random.default_rng(5)
    initializer = INITIALIZERS.resolve("orthogonal")
    corners = np.array([[np.sign(np.diag(initializer.draw((3, 3), rng)))] for _ in range(400)])
    assert np.abs(corners.mean(axis=0)).max() < 5 / np.sqrt(400)


def test_zeros_are_zero():
    assert not draw("zeros", (3, 4)).any()


@for_each("name", NAMES)
def test_the_generator_decides_the_draw(name):
    W = draw(name, (4, 3), seed=1)
    assert (W.shape, W.dtype) == ((4, 3), np.float64)
    np.testing.assert_array_equal(W, draw(name, (4, 3), seed=1))
    if name != "zeros":
        assert not np.array_equal(W, draw(name, (4, 3), seed=2))


@pytest.mark.parametrize("spec", [*NAMES, *VARIANCE, "uniform(-0.25, 3)", "uniform(high=2)", "normal(std=1e-3)"])
def test_a_specification_leads_back_to_the_same_initializer(spec):
    initializer = INITIALIZERS.resolve(spec)
    again = INITIALIZERS.resolve(initializer.spec)
    assert again.spec == initializer.spec
    np.testing.assert_array_equal(draw(again, (5, 4)), draw(initializer, (5, 4)))


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("uniform(1, 1)", "low must be below high and both finite, got 1, 1"),
        ("uniform(2, 1)", "low must be below high"),
        ("uniform(0, 1e999)", "both finite"),
        ("uniform(-1e999, 0)", "both finite"),
        ("uniform(-1e308, 1e308)", "both finite"),
        ("normal(0, 0)", "a std > 0, got 0, 0"),
        ("normal(0, -1)", "a std > 0"),
        ("normal(0, 1e999)", "a std > 0"),
        ("normal(1e999, 1)", "a finite mean"),
        ("normal((1, 2))", "does not fit normal"),
        ("he_normal(2)", "does not fit he_normal"),
        ("glorot", "did you mean 'glorot_"),
    ],
)
def test_arguments_that_make_no_distribution_are_refused(spec, problem):
    with pytest.raises(UsageError, match=f"initializer: .*{problem}"):
        INITIALIZERS.resolve(spec)


@pytest.mark.parametrize("name", ["orthogonal", "he_normal", "glorot_uniform"])
def test_what_needs_a_matrix_is_refused_for_biases(name):
    with pytest.raises(UsageError, match=r"bias_initializer: .* is for weight matrices"):
        Network([2, 3], bias_initializer=name)


# In a network


def test_theta_is_drawn_layer_by_layer_weights_and_biases_from_a_stream_each():
    network = Network([2, 3, 2], initializer="uniform(0, 1)", bias_initializer="uniform(5, 6)", dtype="float64")
    weights, biases = (np.random.default_rng(np.random.SeedSequence(0, spawn_key=(place,))) for place in (0, 7))
    expected = weights.random(6), 5 + biases.random(3), weights.random(6), 5 + biases.random(2)
    np.testing.assert_allclose(network.theta, np.concatenate(expected), rtol=1e-15)


@pytest.mark.parametrize("biases", ["normal(0, 1)", "uniform(-1, 1)", "uniform(0.5, 0.6)"])
def test_the_weights_are_the_same_however_the_biases_are_drawn(biases):
    plain, other = Network([3, 4, 4, 2]), Network([3, 4, 4, 2], bias_initializer=biases)
    for W, same in zip(plain.W, other.W, strict=True):
        np.testing.assert_array_equal(W, same)
    assert all(b.all() for b in other.b)


def test_biases_are_zero_unless_one_asks():
    network = Network([2, 3, 2])
    assert not network.b[0].any()
    assert not network.b[1].any()
    assert all(np.all(W != 0) for W in network.W)


def test_the_first_theta_depends_on_layers_and_seed_alone():
    def theta(**options):
        return Network([3, 4, 2], **{"seed": 5, **options}).theta

    for options in (
        {"activation": "tanh"},
        {"loss": "cross_entropy(sum)"},
        {"output_scale": 3.0, "loss": "huber"},
    ):
        np.testing.assert_array_equal(theta(**options), theta())
    np.testing.assert_array_equal(theta(dtype="float64").astype(np.float32), theta())
    assert not np.array_equal(theta(seed=6), theta())


def test_no_two_seeds_in_a_hundred_agree():
    assert len({Network([3, 4, 2], seed=seed).fingerprint() for seed in range(100)}) == 100


def test_an_own_array_becomes_theta_and_stays_the_callers():
    own = np.arange(9.0)
    network = Network([2, 3], initializer=own)
    np.testing.assert_array_equal(network.W[0], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(network.b[0], [6, 7, 8])
    network.theta[:] = 0
    np.testing.assert_array_equal(own, np.arange(9.0))


@pytest.mark.parametrize("own", [np.zeros(8), np.zeros((3, 3)), np.array([0.0] * 8 + [np.nan])])
def test_an_own_array_must_fit_and_be_finite(own):
    with pytest.raises(UsageError, match=r"initializer: an array must hold 9 finite numbers in the shape \(9,\)"):
        Network([2, 3], initializer=own)
