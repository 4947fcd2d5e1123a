"""Every plan that comes along is a configuration that can be trained by."""

import importlib.resources

import pytest

from glassnet.data.registry import DATASETS
from glassnet.errors import UsageError
from glassnet.nn.network import Network
from glassnet.training.config import RunConfig, load_config, load_plan, plan_names

FOLDER = importlib.resources.files("glassnet.training") / "plans"
FILES = sorted(file.name for file in FOLDER.iterdir())


@pytest.mark.parametrize("file", FILES)
def test_a_plan_is_a_configuration_of_its_data_set(file):
    """`load_config` resolves every name of activation, loss, optimizer, schedule, ... that it holds."""
    config = load_config(FOLDER / file)
    dataset, _, name = file.removesuffix(".toml").rpartition("-")
    assert (dataset, f"{dataset}-{name}.toml") == (config.data.dataset, file)
    assert dataset in DATASETS
    assert name in plan_names(dataset)
    assert load_plan(dataset, name) == config
    assert RunConfig.model_validate(config.model_dump()) == config


@pytest.mark.parametrize("file", FILES)
def test_a_plan_fits_the_shape_of_its_data(file):
    """The layers go from the pixels to the classes, and the network that is described can be made."""
    config = load_config(FOLDER / file)
    shapes = {"fashion-mnist": (784, 10), "breastmnist": (784, 1), "pneumoniamnist": (784, 1)}
    shape = shapes[config.data.dataset]
    layers = config.network.layers
    assert layers is None or (layers[0], layers[-1]) == shape
    loss = "binary_cross_entropy" if shape[1] == 1 else "cross_entropy"  # what the data have it be
    options = {"loss": loss, **config.network.model_dump(exclude_none=True), "layers": layers or list(shape)}
    assert Network(**options, seed=0).layers[-1] == shape[1]


@pytest.mark.parametrize("file", FILES)
def test_a_plan_says_no_more_than_what_was_searched(file):
    """Seeds, splits and where it ran are the user's; but a plan may learn from all training rows."""
    config = load_config(FOLDER / file)
    assert (config.seed, config.network.seed, config.data.split_seed) == (0, None, 0)
    assert config.data.validation in (None, 0)
    assert (config.start, config.checksums, config.environment) == (None, {}, {})
    assert (config.training.kernels, config.training.threads) == ("auto", None)


def test_the_best_plan_is_named_first():
    assert plan_names("fashion-mnist") == ["best", "fast"]
    assert load_plan("fashion-mnist") == load_plan("fashion-mnist", "best")
    assert load_plan("fashion-mnist").training.epochs > load_plan("fashion-mnist", "fast").training.epochs


@pytest.mark.parametrize(
    "dataset", ["digits", "mnist", "fashion", "", "fashion-mnist-best", "houses.csv", "../plans"]
)
def test_another_data_set_has_none(dataset):
    """Also where its name is the beginning of another's, or none at all."""
    assert plan_names(dataset) == []
    with pytest.raises(UsageError, match=f"^plan: there is no plan 'best' for {dataset}; leave it out$"):
        load_plan(dataset)


@pytest.mark.parametrize("name", ["fastest", "", "Best", "best.toml", "../plans/fashion-mnist-best"])
def test_a_plan_that_there_is_not_is_refused_with_those_that_there_are(name):
    with pytest.raises(
        UsageError, match=f"^plan: there is no plan '{name}' for fashion-mnist; there are: best, fast"
    ):
        load_plan("fashion-mnist", name)
