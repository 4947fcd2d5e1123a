import pytest

from glassnet.data.npz_keys import choose_keys
from glassnet.data.untrusted_files import ContentError
from glassnet.errors import UsageError

WHOLE = [
    "X y", "x y", "X Y", "data target", "data labels", "images labels", "features targets", "inputs outputs",
    "Data Targets", "input target", "image label", "X labels", "x target", "arr_0 arr_1",
]  # fmt: skip


@pytest.mark.parametrize("keys", WHOLE)
def test_rows_and_labels_are_found_by_their_usual_names_in_any_order(keys):
    rows, labels = keys.split()
    for given in ((rows, labels), (labels, rows)):
        found = choose_keys(given)
        assert found.pairs == {"": (rows, labels)}
        assert (found.class_names, found.unused) == (None, ())
        assert len(found.remarks) == keys.startswith("arr")


SPLITS = {
    "X_train y_train X_test y_test": ("train", "test"),
    "x_train y_train x_val y_val x_test y_test": ("train", "validation", "test"),
    "X_train y_train X_validation y_validation": ("train", "validation"),
    "x_train y_train x_valid y_valid": ("train", "validation"),
    "train_images train_labels val_images val_labels test_images test_labels": ("train", "validation", "test"),
    "training_data training_target testing_data testing_target": ("train", "test"),
    "trainX trainY testX testY": ("train", "test"),
    "xtrain ytrain xdev ydev": ("train", "validation"),
    "Train-Images Train-Labels": ("train",),
    "X_test y_test": ("test",),
    "features_train targets_train features_test targets_test": ("train", "test"),
}


@pytest.mark.parametrize(("keys", "splits"), SPLITS.items())
def test_splits_are_found_before_and_behind_the_name(keys, splits):
    keys = keys.split()
    found = choose_keys(tuple(reversed(keys)))
    assert list(found.pairs) == list(splits)
    assert list(found.pairs.values()) == list(zip(keys[::2], keys[1::2], strict=True))
    assert (found.unused, found.remarks) == ((), ())


def test_rows_without_labels_stand_alone_but_not_in_a_split():
    assert choose_keys(("X",)).pairs == {"": ("X", None)}
    assert choose_keys(("arr_0",)).pairs == {"": ("arr_0", None)}
    for keys, said in (
        (("X_train", "y_train", "X_test"), "holds X_test, but no labels for it: expected y_test"),
        (("train_images", "test_images", "test_labels"), "but no labels for it: expected train_labels"),
    ):
        with pytest.raises(ContentError, match=said):
            choose_keys(keys)


def test_the_whole_beside_a_test_set_is_what_is_learned_from():
    found = choose_keys(("X", "y", "X_test", "y_test"))
    assert found.pairs == {"train": ("X", "y"), "test": ("X_test", "y_test")}
    assert found.remarks == ("X and y are the training rows, as there is a test or validation set beside them",)
    found = choose_keys(("X", "y", "X_train", "y_train"))
    assert found.pairs == {"train": ("X_train", "y_train")}
    assert (found.unused, found.remarks) == (("X", "y"), ())


def test_of_several_the_pair_that_goes_together_is_taken():
    keys = ("data", "target", "images", "target_names", "frame")  # as scikit-learn's digits
    found = choose_keys(keys)
    assert found.pairs == {"": ("data", "target")}
    assert found.class_names == "target_names"
    assert found.unused == ("images", "frame")
    with pytest.raises(ContentError, match="holds X, images, y; say which array holds the rows by --x-key"):
        choose_keys(("X", "images", "y"), y_key="y")


AMBIGUOUS = [
    "X y images labels",
    "X y Y",
    "X x y",
    "train_x train_X train_y",
    "a b",
    "y",
    "arr_0 arr_1 arr_2 arr_3",
]


@pytest.mark.parametrize("keys", AMBIGUOUS)
def test_nothing_is_guessed(keys):
    with pytest.raises(ContentError, match=r"holds .* by --x-key and --y-key"):
        choose_keys(tuple(keys.split()))


def test_keys_can_be_named():
    assert choose_keys(("a", "b", "c"), "b", "a").pairs == {"": ("b", "a")}
    assert choose_keys(("a", "b", "c"), "b", "a").unused == ("c",)
    assert choose_keys(("X", "y", "ages"), y_key="ages").pairs == {"": ("X", "ages")}
    assert choose_keys(("X", "y", "Z"), "Z").pairs == {"": ("Z", "y")}
    assert choose_keys(("X", "y", "images", "labels"), "X", "y").pairs == {"": ("X", "y")}
    assert choose_keys(("Z",), "Z").pairs == {"": ("Z", None)}
    with pytest.raises(UsageError, match=r"x_key: no array 'q'; the file holds a, b"):
        choose_keys(("a", "b"), "q", "a")
    with pytest.raises(ContentError, match="which array holds the rows by --x-key"):
        choose_keys(("a", "b"), y_key="a")


def test_names_of_odd_arrays_are_shown_in_one_line():
    with pytest.raises(ContentError) as caught:
        choose_keys(("a\nb", "x" * 999))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
