import numpy as np
import pytest
from matplotlib.figure import Figure
from tests.loops import for_each

from glassnet.charts.painting import save_figure
from glassnet.data.array_schema import ArraySchema
from glassnet.data.dataset import Dataset
from glassnet.data.registry import load_dataset
from glassnet.data.schema import Schema
from glassnet.data.splits import Split
from glassnet.data.target_schema import TargetSchema
from glassnet.errors import DataError, FileError, UsageError
from glassnet.report.sample_grid import sample_grid


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits")


def sheet_of(figure):
    return np.asarray(figure.axes[0].images[0].get_array())


def test_the_sheet_holds_the_first_images_of_every_class_and_nothing_else(digits):
    sheet = sheet_of(sample_grid(digits, per_class=3))
    assert sheet.shape == (10 * 10 - 2, 3 * 10 - 2)
    expected = np.zeros_like(sheet)
    for label in range(10):
        of_class = [image for image, y in zip(digits.train.X, digits.train.y, strict=True) if y == label]
        for column in range(3):
            image = of_class[column].reshape(8, 8)
            expected[10 * label : 10 * label + 8, 10 * column : 10 * column + 8] = image
    np.testing.assert_array_equal(sheet, expected)


def test_images_that_are_not_square_are_not_turned():
    X = np.arange(24).reshape(4, 6).astype(np.uint8)
    data = Dataset.from_arrays(X, np.array([1, 0, 1, 1]), X, np.zeros(4, int), validation=0, image_shape=(2, 3))
    sheet = sheet_of(sample_grid(data, per_class=2))
    # Class 0 has one image, so that the rest of its row is empty.
    assert sheet.tolist() == [
        [6, 7, 8, 0, 0, 0, 0, 0],
        [9, 10, 11, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0],
        [0, 1, 2, 0, 0, 12, 13, 14],
        [3, 4, 5, 0, 0, 15, 16, 17],
    ]


@pytest.mark.parametrize("kind", ["bytes", "shares", "16 bits"])
def test_colours_are_shown_on_white_as_shares_of_what_is_full(kind):
    X = np.array([[[[255, 0, 51]]], [[[0, 102, 255]]]], np.uint8)
    X, white = {"bytes": (X, 1), "shares": (X / 255, 1), "16 bits": (X.astype(np.uint16) * 100, 25500)}[kind]
    schema = Schema(ArraySchema.learn(X, white=white)[0], TargetSchema.learn(["no", "yes"] * 2)[0])
    split = Split(X, np.array(["yes", "no"]))
    data = Dataset("tiny", split, split, split, schema)
    sheet = sheet_of(sample_grid(data, per_class=2))
    blank = [1, 1, 1]
    empty = [blank] * 4
    np.testing.assert_allclose(sheet, [[[0, 0.4, 1], *empty[:3]], empty, empty, [[1, 0, 0.2], *empty[:3]]])


def test_rows_are_labelled_with_the_classes_names_at_their_height(digits):
    axes = sample_grid(digits).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == list(digits.class_names)
    assert list(axes.get_yticks()) == [10 * label + 4 for label in range(10)]
    assert axes.get_title() == "digits: 1,318 training images, 8 × 8"


def test_a_png_is_written_whole_dark_on_white_and_alone_in_its_folder(digits, tmp_path):
    from matplotlib.image import imread

    figure = sample_grid(digits, per_class=2)
    save_figure(figure, tmp_path / "grid.png")
    picture = imread(tmp_path / "grid.png")
    width, height = figure.get_size_inches()
    assert abs(picture.shape[0] - 150 * height) <= 1
    assert abs(picture.shape[1] - 150 * width) <= 1
    assert (picture[0, 0, :3] == 1).all()
    assert picture[..., :3].min() == 0
    assert [path.name for path in tmp_path.iterdir()] == ["grid.png"]


def test_data_without_images_or_classes_are_refused(digits):
    flat = Dataset.from_arrays(digits.test.X, digits.test.y, name="flat")
    numbers = Dataset.from_arrays(digits.test.X, np.linspace(0, 1, len(digits.test.y)), image_shape=(8, 8))
    for data, name in ((flat, "flat"), (numbers, "arrays")):
        with pytest.raises(DataError) as caught:
            sample_grid(data)
        assert str(caught.value) == f"{name}: holds no images with classes that could be shown"


@for_each("per_class", [0, -1])
def test_pictures_in_a_row_must_be_some(digits, per_class):
    with pytest.raises(UsageError, match=rf"^per_class: must be a whole number from 1 to 100, got {per_class}$"):
        sample_grid(digits, per_class)


def test_one_picture_in_a_row_is_enough(digits):
    assert sheet_of(sample_grid(digits, 1)).shape == (98, 8)


def test_a_picture_that_cannot_be_written_is_refused_by_name(tmp_path):
    with pytest.raises(FileError, match="cannot be written") as caught:
        save_figure(Figure(figsize=(1, 1)), tmp_path / "missing" / "grid.png")
    assert str(caught.value).startswith(str(tmp_path / "missing" / "grid.png"))
