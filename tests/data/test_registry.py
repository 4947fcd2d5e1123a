import json
import re
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from tests.loops import for_each

from glassnet.data import registry
from glassnet.data.registry import DATASETS, find_folders, load_dataset, published
from glassnet.data.target_schema import TASKS
from glassnet.errors import FileError, UsageError

in_every_entry = for_each("entry", DATASETS.values())


def refusal(error, call, *arguments, **options):
    with pytest.raises(error) as caught:
        call(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_every_name_is_its_entrys_and_there_once():
    assert all(entry.name == name for name, entry in DATASETS.items())
    assert len(registry._KNOWN) == len(DATASETS)
    assert {"fashion-mnist", "mnist", "kmnist", "qmnist", "emnist-letters", "digits", "iris"} < set(DATASETS)
    assert {"pathmnist", "pathmnist_64", "pathmnist_224", "organmnist3d_64"} < set(DATASETS)


@in_every_entry
def test_every_entry_is_filled_in(entry):
    assert re.fullmatch("[a-z0-9_-]+", entry.name)
    assert entry.title.strip() == entry.title != ""
    assert entry.licence
    assert entry.task in TASKS
    assert entry.targets >= 1
    assert entry.targets == 2 or entry.task != "binary"
    assert callable(entry.load)


@pytest.mark.parametrize("entry", [one for one in DATASETS.values() if one.source], ids=lambda entry: entry.name)
def test_every_source_has_checksums_and_an_address(entry):
    assert re.fullmatch(r"https?://[^\s?]+/", entry.source.url)
    assert re.fullmatch(r"(\?[a-z]+=\w+)?", entry.source.query)
    assert entry.source.files
    for file, checksum in entry.source.files.items():
        assert re.fullmatch(r"[\w.-]+", file)
        assert re.fullmatch("[0-9a-f]{32}", checksum)


def test_no_two_files_have_one_checksum():
    sums = {s for entry in DATASETS.values() if entry.source for s in entry.source.files.items()}
    assert len({checksum for _, checksum in sums}) == len(sums)


@pytest.mark.parametrize("name", [name for name, entry in DATASETS.items() if entry.source is None])
def test_what_an_entry_promises_is_what_it_loads(name):
    entry, data = DATASETS[name], load_dataset(name)
    assert (data.name, data.task) == (name, entry.task)
    if data.class_names is None:
        assert np.prod(data.train.y.shape[1:], dtype=int) == entry.targets
    else:
        assert len(data.class_names) == entry.targets


@pytest.mark.parametrize(("validation", "size"), [(0.5, 719), (100, 100), (0, 0)])
def test_validation_is_handed_on(validation, size):
    assert len(load_dataset("digits", validation=validation).validation.y) == size


@pytest.mark.parametrize("name", ["digits", "points.npz"])
def test_the_test_rows_are_watched_and_all_others_learned_from(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    np.savez("points.npz", X=np.arange(80.0).reshape(40, 2), y=np.arange(40) % 2)
    watched, without = load_dataset(name, validation="test"), load_dataset(name, validation=0)
    assert watched.validation_size == "test"
    for ours, theirs in (
        (watched.train, without.train),
        (watched.test, without.test),
        (watched.validation, without.test),
    ):
        np.testing.assert_array_equal(ours.X, theirs.X)
        np.testing.assert_array_equal(ours.y, theirs.y)
    drawn = load_dataset(name)
    assert len(watched.train.y) == len(drawn.train.y) + len(drawn.validation.y)


@pytest.mark.parametrize("name", ["digits", "points.npz"])
def test_the_last_rows_are_watched_and_those_before_learned_from(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    np.savez("points.npz", X=np.arange(80.0).reshape(40, 2), y=np.arange(40) % 2)
    last, without = load_dataset(name, validation="last(5)"), load_dataset(name, validation=0)
    assert last.validation_size == "last(5)"
    for ours, theirs in (
        (last.train.X, without.train.X[:-5]),
        (last.train.y, without.train.y[:-5]),
        (last.validation.X, without.train.X[-5:]),
        (last.validation.y, without.train.y[-5:]),
        (last.test.X, without.test.X),
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_the_last_rows_do_not_scale_those_before():
    last = load_dataset("digits", validation="last(500)", scaling="standard")
    np.testing.assert_allclose(last.encoded.train.X.mean(axis=0), 0, atol=1e-5)
    assert np.abs(last.encoded.validation.X.mean(axis=0)).max() > 0.01


@pytest.mark.parametrize("rows", ["last(100000)", "last", "last(-1)", "last(0.5)", "train"])
def test_other_rows_are_refused(rows):
    assert refusal(UsageError, load_dataset, "digits", validation=rows).startswith("validation: ")


def test_standardised_test_rows_are_watched_as_they_are_tested():
    watched = load_dataset("digits", validation="test", scaling="standard")
    np.testing.assert_array_equal(watched.encoded.validation.X, watched.encoded.test.X)
    without = load_dataset("digits", validation=0, scaling="standard")
    np.testing.assert_array_equal(watched.encoded.train.X, without.encoded.train.X)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("fashion_mnist", "fashion-mnist"), ("digit", "digits"), ("breastmnist_65", "breastmnist_64")],
)
def test_an_unknown_name_is_refused_with_the_nearest(name, nearest):
    for call in (load_dataset, published, registry.find):
        message = refusal(UsageError, call, name)
        assert message.startswith(f"dataset: unknown name {name!r}; did you mean {nearest!r}?")


@pytest.mark.parametrize("option", ["target", "impute"])
@pytest.mark.parametrize("name", ["digits", "fashion-mnist", "breastmnist"])
def test_the_options_of_a_table_do_not_go_with_a_name(name, option):
    assert refusal(UsageError, load_dataset, name, **{option: "median"}).startswith(f"{option}: ")


def test_a_path_is_the_users_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("mine.npz", X=np.arange(40.0).reshape(20, 2), y=np.arange(20) % 2)
    for path in ("mine.npz", f"{tmp_path}/mine.npz", "./mine.npz"):
        data = load_dataset(path, validation=3, split_seed=4)
        assert (data.name, len(data.validation.y), data.split_seed) == ("mine", 3, 4)
        assert data.origin == {"dataset": str(tmp_path / "mine.npz")}
    refusal(FileError, load_dataset, "nowhere.npz")


def test_a_name_comes_before_a_folder_of_that_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("digits").mkdir()
    assert load_dataset("digits").origin == {}


def test_published_figures_are_those_of_the_file_beside_the_module():
    facts = json.loads((resources.files("glassnet.data") / "medmnist.json").read_text())
    rows = facts["published"]["rows"]
    assert rows
    assert published("breastmnist") == {method: figures["breastmnist"] for method, figures in rows.items()}
    # ResNet-18 (28) on BreastMNIST, Yang et al. 2023, table 3.
    assert published("breastmnist")["ResNet-18 (28)"] == {"auc": 0.901, "acc": 0.863}
    for name, entry in DATASETS.items():
        for figures in entry.published.values():
            assert set(figures) == {"auc", "acc"}, name
            assert all(0 < value <= 1 for value in figures.values()), name


@pytest.mark.parametrize("name", ["digits", "fashion-mnist", "iris"])
def test_where_no_figures_are_published_compare_says_so(name):
    message = refusal(UsageError, published, name)
    assert message.startswith("compare: ")
    assert name in message


def test_whereabouts_are_scikit_learn_a_folder_or_none(small_files, monkeypatch):
    monkeypatch.setenv("GLASSNET_DATA", str(small_files.parent))
    places = find_folders()
    assert list(places) == list(DATASETS)
    assert places["digits"] == places["iris"] == "in scikit-learn"
    assert places["fashion-mnist"] == str(small_files)
    assert places["breastmnist"] is places["emnist-letters"] is places["qmnist"] is places["kmnist"] is None
    monkeypatch.delenv("GLASSNET_DATA")
    assert find_folders()["fashion-mnist"] is None
    assert find_folders(small_files.parent)["fashion-mnist"] == str(small_files)


def test_a_folder_without_a_name_above_it_is_of_the_set_that_is_asked_for_only(small_files):
    # The files of MNIST, Fashion-MNIST and Kuzushiji-MNIST have the same names: here they are Fashion-MNIST's.
    places = find_folders(small_files.parent)
    assert (places["fashion-mnist"], places["mnist"], places["kmnist"]) == (str(small_files), None, None)


def test_whereabouts_refuse_a_part_of_a_set(small_files):
    next(small_files.iterdir()).unlink()
    assert "is missing beside the other files" in refusal(FileError, find_folders, small_files.parent)


@pytest.mark.real_data
def test_the_real_data_are_where_the_variable_says(fashion_mnist_home):
    places = find_folders(fashion_mnist_home)
    assert places["fashion-mnist"] == f"{fashion_mnist_home}/fashion-mnist"
    for name in ("mnist", "breastmnist"):
        folder = Path(fashion_mnist_home) / DATASETS[name].source.name
        assert places[name] == (str(folder) if folder.is_dir() else None)
