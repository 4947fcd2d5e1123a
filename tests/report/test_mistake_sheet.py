import numpy as np

from glassnet.charts.painting import figure_of
from glassnet.locales.catalogue import Words
from glassnet.report.error_analysis import Answer
from glassnet.report.mistake_sheet import COLUMNS, HEIGHT, LETTERS, MistakeSheet


def test_a_mistake_is_its_image_with_what_it_is_and_was_taken_for_below():
    names = ["cat", "a very long name of a class", *map(str, range(COLUMNS))]
    mistakes = [Answer(place, name, "$dog", 0.9, 2.0) for place, name in enumerate(names)]
    images = np.arange(len(names) * 8.0).reshape(-1, 8)
    axes = figure_of(MistakeSheet(mistakes, images, (2, 4), 16.0, Words("zh"), "worst-mistakes", "错")).axes[0]
    assert axes.get_title(loc="left") == "错"
    assert len(axes.images) == len(names)
    for place, image in enumerate(axes.images):
        np.testing.assert_allclose(image.get_array(), np.clip(images[place].reshape(2, 4) / 16, 0, 1))
        left, right, bottom, top = image.get_extent()
        assert (left, bottom) == (1.25 * (place % COLUMNS), -HEIGHT * (place // COLUMNS))
        assert (right - left, top - bottom) == (1, 0.5)  # twice as wide as high
    said = [text.get_text() for text in axes.texts]
    assert said[::2][:3] == ["cat", f"{names[1][: LETTERS - 1]}…", "0"]
    assert said[1::2] == [r"→ \$dog"] * len(names)


def test_each_likely_class_has_a_bar_as_wide_as_its_probability():
    answer = Answer(0, "cat", "dog", 0.75, 2.0, (("dog", 0.75), ("cat", 0.25)))
    sheet = MistakeSheet([answer], np.zeros((1, 8)), (2, 4), 1.0, Words("en"), "right-answers", "Right")
    axes = figure_of(sheet).axes[0]
    assert [text.get_text() for text in axes.texts] == ["cat", "dog", "cat"]
    widths = [np.ptp(bar.get_paths()[0].vertices[:, 0]) for bar in axes.collections]
    np.testing.assert_allclose(widths, [0.75, 0.25])
