from pathlib import Path

import numpy as np
import pytest
from tests.loops import for_each

from glassnet.data.audit import audit
from glassnet.data.medmnist import list_sets, read_descriptions
from glassnet.data.registry import DATASETS, load_dataset
from glassnet.data.sources import md5
from glassnet.data.target_schema import TASKS
from glassnet.errors import FileError

SETS = {
    **dict.fromkeys(
        ("pathmnist", "dermamnist", "octmnist", "bloodmnist", "tissuemnist", "organamnist", "organcmnist"),
        "multi-class",
    ),
    **dict.fromkeys(("organsmnist", "organmnist3d", "fracturemnist3d"), "multi-class"),
    **dict.fromkeys(("pneumoniamnist", "breastmnist", "nodulemnist3d", "adrenalmnist3d"), "binary"),
    **dict.fromkeys(("vesselmnist3d", "synapsemnist3d"), "binary"),
    "chestmnist": "multi-label",
    "retinamnist": "ordinal",
}

#: A set of every kind: name, shape of an image, task, classes or labels.
KINDS = {
    "octmnist": ((28, 28), "multi-class", 4),
    "pathmnist": ((28, 28, 3), "multi-class", 9),
    "organmnist3d": ((28, 28, 28), "multi-class", 11),
    "breastmnist": ((28, 28), "binary", 2),
    "chestmnist": ((28, 28), "multi-label", 14),
    "retinamnist": ((28, 28, 3), "ordinal", 5),
    "breastmnist_64": ((64, 64), "binary", 2),
    "retinamnist_64": ((64, 64, 3), "ordinal", 5),
    "nodulemnist3d_64": ((64, 64, 64), "binary", 2),
}
KIND = pytest.mark.parametrize("name", KINDS)
ROWS = {"train": 12, "val": 4, "test": 3}


def arrays_of(name, rows=ROWS):
    """Return the six arrays of a set's file, made up."""
    shape, task, count = KINDS[name]
    rng = np.random.default_rng(1)
    arrays = {}
    for split, n in rows.items():
        arrays[f"{split}_images"] = rng.integers(0, 256, (n, *shape), np.uint8)
        several = task == "multi-label"
        arrays[f"{split}_labels"] = (
            rng.integers(0, 2, (n, count), np.uint8)
            if several
            else (np.arange(n, dtype=np.uint8) % count)[:, None]
        )
    return arrays


@pytest.fixture
def put(tmp_path):
    """``put(name, **arrays)``: a file of the set, some arrays of which are others, or None and left out."""

    def write(name, **others):
        folder = tmp_path / "medmnist"
        folder.mkdir(exist_ok=True)
        arrays = {key: value for key, value in (arrays_of(name) | others).items() if value is not None}
        np.savez_compressed(folder / f"{name}.npz", **arrays)
        return tmp_path

    return write


def refusal(name, home, **options):
    with pytest.raises(FileError) as caught:
        load_dataset(name, home, **options)
    message = str(caught.value)
    assert message.startswith(f"{home}/medmnist/{name}.npz: ")
    assert "\n" not in message
    return message


@KIND
def test_a_set_of_every_kind_keeps_its_three_splits(put, name):
    home = put(name)
    data = load_dataset(name, home)
    shape, task, count = KINDS[name]
    assert (data.name, data.task, data.image_shape) == (name, task, shape)
    assert data.validation_size is None
    arrays = arrays_of(name)
    for split, short in (("train", "train"), ("validation", "val"), ("test", "test")):
        X, y = getattr(data, split)
        assert X.dtype == np.uint8
        np.testing.assert_array_equal(X, arrays[f"{short}_images"].reshape(ROWS[short], -1))
        labels = arrays[f"{short}_labels"]
        np.testing.assert_array_equal(y, labels if task == "multi-label" else labels[:, 0])
    names = data.target_names if task == "multi-label" else data.class_names
    assert names == tuple(read_descriptions()["sets"][name.partition("_")[0]]["labels"].values())
    assert len(names) == count
    assert (data.class_names is None) == (task == "multi-label") == (data.target_names is not None)
    assert data.checksums == {f"{name}.npz": md5(home / "medmnist" / f"{name}.npz")}


@pytest.mark.parametrize("name", ["pathmnist", "chestmnist", "retinamnist"])
@pytest.mark.parametrize("validation", [5, 0.25, 0])
def test_a_validation_that_is_asked_for_is_drawn_from_training_and_validation_rows_together(put, name, validation):
    home = put(name)
    data, other = (load_dataset(name, home, validation=validation, split_seed=seed) for seed in (0, 1))
    size = {5: 5, 0.25: 4, 0: 0}[validation]
    assert (len(data.validation.y), data.validation_size, len(data.train.y)) == (size, size, 16 - size)
    arrays = arrays_of(name)
    pool = [np.concatenate([arrays[f"train_{kind}"], arrays[f"val_{kind}"]]) for kind in ("images", "labels")]
    expected = sorted(np.c_[pool[0].reshape(16, -1), pool[1]].tolist())
    drawn = np.concatenate([np.c_[split.X, split.y] for split in (data.train, data.validation)])
    assert sorted(drawn.tolist()) == expected
    np.testing.assert_array_equal(data.test.X, load_dataset(name, home).test.X)
    np.testing.assert_array_equal(data.test.X, other.test.X)
    assert not size or (data.validation.X != other.validation.X).any()
    assert data.task == KINDS[name][1]


def test_a_seed_changes_nothing_of_the_official_splits(put):
    home = put("breastmnist")
    data, other = (load_dataset("breastmnist", home, split_seed=seed) for seed in (0, 1))
    np.testing.assert_array_equal(data.train.X, other.train.X)
    np.testing.assert_array_equal(data.validation.X, other.validation.X)


IMAGES, LABELS = np.zeros((12, 28, 28), np.uint8), np.zeros((12, 1), np.uint8)


@pytest.mark.parametrize(
    ("array", "value", "said"),
    [
        (
            "train_images",
            IMAGES[..., :27],
            "train_images holds uint8 of shape (12, 28, 27), expected bytes, n x 28",
        ),
        ("train_images", IMAGES[0], "train_images holds uint8 of shape (28, 28)"),
        ("train_images", np.zeros((12, 28, 28, 3), np.uint8), "train_images holds uint8 of shape (12, 28, 28, 3)"),
        ("train_images", IMAGES.astype(float), "train_images holds float64 of shape (12, 28, 28)"),
        ("train_images", np.uint8(1), "train_images holds uint8 of shape ()"),
        ("val_images", IMAGES[:3], "val_labels holds uint8 of shape (4, 1), expected whole numbers, 3 x 1"),
        ("test_images", IMAGES.view(np.int8), "test_images holds int8"),
        ("train_labels", LABELS[:, 0], "train_labels holds uint8 of shape (12,), expected whole numbers, 12 x 1"),
        ("train_labels", LABELS[:7], "train_labels holds uint8 of shape (7, 1)"),
        ("train_labels", np.zeros((12, 2), np.uint8), "train_labels holds uint8 of shape (12, 2)"),
        ("train_labels", LABELS.astype(np.float32), "train_labels holds float32 of shape (12, 1)"),
        ("train_labels", np.uint8(1), "train_labels holds uint8 of shape ()"),
        ("train_labels", LABELS + np.uint8(2), "train_labels holds 2, outside 0..1"),
        ("val_labels", np.array([[0], [1], [200], [0]]), "val_labels holds 200, outside 0..1"),
        ("test_labels", np.array([[0], [-1], [1]]), "test_labels holds -1, outside 0..1"),
        ("test_labels", None, "holds no array 'test_labels'"),
        ("val_images", None, "holds no array 'val_images'"),
    ],
)
@pytest.mark.parametrize("validation", [None, 2])
def test_a_file_that_is_not_the_set_is_refused_in_one_line(put, array, value, said, validation):
    assert said in refusal("breastmnist", put("breastmnist", **{array: value}), validation=validation)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (np.full((12, 14), 2), "train_labels holds 2, outside 0..1"),
        (np.zeros((12, 13), int), "train_labels holds int64 of shape (12, 13), expected whole numbers, 12 x 14"),
        (np.zeros((12, 1), int), "of shape (12, 1), expected whole numbers, 12 x 14"),
    ],
)
def test_a_multi_label_set_has_a_0_or_1_for_every_label(put, labels, said):
    assert said in refusal("chestmnist", put("chestmnist", train_labels=labels))


def test_a_colour_set_in_grey_is_refused(put):
    assert "expected bytes, n x 28 x 28 x 3" in refusal("pathmnist", put("pathmnist", train_images=IMAGES))


def test_a_damaged_file_is_refused_by_name(put):
    home = put("breastmnist")
    path = home / "medmnist" / "breastmnist.npz"
    path.write_bytes(path.read_bytes()[:-100])
    assert "damaged" in refusal("breastmnist", home)


def flag_of(medical):
    """Return the name of a set without the size."""
    return medical.name.partition("_")[0]


def test_there_are_eighteen_sets_with_their_tasks():
    assert len(SETS) == 18
    assert {flag_of(medical): medical.task for medical in list_sets()} == SETS
    assert set(SETS.values()) < set(TASKS)


def test_flat_sets_come_in_four_sizes_and_cubes_in_two():
    sizes = {}
    for medical in list_sets():
        flag, size = flag_of(medical), medical.image_shape[0]
        sizes.setdefault(flag, []).append(size)
        assert medical.name == flag + ("" if size == 28 else f"_{size}")
        edges = (size,) * (3 if flag.endswith("3d") else 2)
        assert medical.image_shape in (edges, (*edges, 3))
        assert f"{size} x {size}" in medical.title
    for flag, found in sizes.items():
        assert found == ([28, 64] if flag.endswith("3d") else [28, 64, 128, 224]), flag
    colours = {flag_of(medical) for medical in list_sets() if medical.image_shape[-1] == 3}
    assert colours == {"pathmnist", "dermamnist", "retinamnist", "bloodmnist"}


@for_each("medical", list_sets())
def test_the_facts_of_every_set_fit_together(medical):
    facts = read_descriptions()["sets"][flag_of(medical)]
    assert set(facts["labels"]) == {str(k) for k in range(len(medical.labels))}
    assert set(facts["n_samples"]) == {"train", "val", "test"}
    assert (len(medical.labels) == 2) == (medical.task == "binary")
    assert list(medical.source.files) == [f"{medical.name}.npz"]
    file = facts["files"][str(medical.image_shape[0])]
    assert f"{medical.source.url}{medical.name}.npz{medical.source.query}" == file["url"]
    assert medical.source.files[f"{medical.name}.npz"] == file["md5"]
    assert bool(medical.published) == (not flag_of(medical).endswith("3d"))
    assert medical.licence.startswith("CC BY")
    assert (DATASETS[medical.name].task, DATASETS[medical.name].targets) == (medical.task, len(medical.labels))


@pytest.fixture
def real(fashion_mnist_home):
    def load(name, **options):
        if not (Path(fashion_mnist_home) / "medmnist" / f"{name}.npz").exists():
            pytest.skip(f"needs medmnist/{name}.npz in GLASSNET_DATA")
        return load_dataset(name, fashion_mnist_home, **options)

    return load


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["breastmnist", "pneumoniamnist"])
def test_the_real_sets_have_the_published_numbers_of_samples(real, name):
    data = real(name)
    numbers = read_descriptions()["sets"][name]["n_samples"]
    assert [len(split.y) for split in (data.train, data.validation, data.test)] == list(numbers.values())
    assert data.train.X.shape == (numbers["train"], 784)
    assert (data.task, data.n_classes, data.validation_size) == ("binary", 2, None)
    pooled = real(name, validation=50)
    assert len(pooled.train.y) == numbers["train"] + numbers["val"] - 50


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "across"),
    [
        ("breastmnist", {("train", "validation"): 0, ("train", "test"): 1, ("validation", "test"): 0}),
        ("pneumoniamnist", {("train", "validation"): 8, ("train", "test"): 0, ("validation", "test"): 0}),
    ],
)
def test_the_real_sets_hold_rows_in_two_splits(real, name, across):
    data = real(name)
    found = audit(data)
    assert {pair: len(found.across(*pair)) for pair in across} == across
    for (one, other), count in across.items():
        stands = [remark for remark in found.remarks if f"in {one} and in {other}, number for number" in remark]
        assert len(stands) == (count > 0)
        assert all(remark.startswith(f"{count} row") for remark in stands)
    for group in found.duplicates:
        rows = {getattr(data, place.split).X[place.row - 1].tobytes() for place in group}
        assert len(rows) == 1
