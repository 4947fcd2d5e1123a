import numpy as np
from tests.data.pictures import pixels
from tests.loops import for_each

from glassnet.charts.pictures import flat_shape, picture_of, png_address


def test_bytes_are_dark_ink_on_white():
    image = pixels(picture_of(np.array([0, 255, 51, 0], np.uint8), (2, 2)))
    assert image[:, :, 0].tolist() == [[255, 0], [204, 255]]
    assert (image[:, :, 0] == image[:, :, 2]).all()


def test_floats_go_up_to_the_largest_that_is_given():
    assert pixels(picture_of(np.array([0.0, 4.0]), (1, 2), largest=16.0))[0, :, 0].tolist() == [255, 191]
    assert pixels(picture_of(np.array([0.0, 4.0]), (1, 2)))[0, :, 0].tolist() == [255, 0]
    assert pixels(picture_of(np.zeros(2), (1, 2)))[0, :, 0].tolist() == [255, 255]


def test_colours_stay_and_of_a_solid_the_middle_is_shown():
    row = np.array([255, 0, 0, 0, 255, 0], np.uint8)
    assert pixels(picture_of(row, (1, 2, 3)))[0, :, :3].tolist() == [[255, 0, 0], [0, 255, 0]]
    solid = np.zeros((4, 2, 2), np.uint8)
    solid[2] = 255
    assert (pixels(picture_of(solid.ravel(), (4, 2, 2)))[:, :, 0] == 0).all()
    assert [flat_shape(shape) for shape in ((4, 2, 2), (28, 28), (32, 20, 3))] == [(2, 2), (28, 28), (32, 20)]


def test_a_large_picture_is_made_smaller():
    assert pixels(picture_of(np.zeros(224 * 224, np.uint8), (224, 224))).shape[:2] == (75, 75)


@for_each("channels", [3, 4])
def test_a_picture_is_read_back_pixel_by_pixel(channels):
    image = np.random.default_rng(0).integers(256, size=(5, 3, channels)).astype(np.uint8)
    assert (pixels(png_address(image)) == image).all()
