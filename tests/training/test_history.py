import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassnet.training.history import COLUMNS, EpochRecord, History

numbers = st.floats(allow_nan=False, allow_infinity=False)
maybe = st.none() | numbers
epochs = st.integers(1, 10**6)
seconds = st.floats(0, 1e12)
records = st.builds(EpochRecord, epochs, numbers, maybe, maybe, maybe, numbers, seconds, epochs)


def history_of(some):
    history = History()
    for record in some:
        history.append(record)
    return history


@given(st.lists(records, max_size=4))
def test_a_table_comes_back_bit_for_bit(some):
    some = [dataclasses.replace(record, epoch=number) for number, record in enumerate(some, start=1)]
    text = history_of(some).to_csv()
    back = History.from_csv(text)
    assert list(back) == some
    assert back.to_csv() == text
    assert text.count("\n") == len(some) + 1


@given(
    st.lists(st.text("ab_", min_size=1), min_size=1, max_size=3, unique=True),
    st.lists(records, min_size=1, max_size=3),
)
def test_measured_columns_come_back_bit_for_bit(names, some):
    """Every record of a run has the same ones; they stand behind the others."""
    names = [f"validation_{name}" for name in names]
    some = [
        dataclasses.replace(record, epoch=number, measures=dict.fromkeys(names, record.train_loss))
        for number, record in enumerate(some, start=1)
    ]
    text = history_of(some).to_csv()
    assert text.splitlines()[0] == ",".join([*COLUMNS, *names])
    back = History.from_csv(text)
    assert list(back) == some
    assert back[names[-1]] == back["train_loss"]


def test_a_metric_that_is_not_a_number_comes_back():
    record = EpochRecord(1, 0.5, None, None, None, 0.1, 1.0, 1, {"validation_auc": math.nan})
    text = history_of([record]).to_csv()
    assert text.endswith(",nan\n")
    assert math.isnan(History.from_csv(text).last.measures["validation_auc"])


def test_the_table_is_plain():
    history = history_of(
        [EpochRecord(1, 0.5, 0.75, 0.25, 1.0, 0.001, 2.0, 2), EpochRecord(2, 3.0, *[None] * 3, 0.1, 1.5, 1)]
    )
    assert history.to_csv() == (
        "epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,learning_rate,seconds,threads,"
        "dead_units,saturated_units,gradient_norm,update_ratio\n"
        "1,0.5,0.75,0.25,1.0,0.001,2.0,2,,,,\n"
        "2,3.0,,,,0.1,1.5,1,,,,\n"
    )


def test_columns_length_order_and_last():
    some = [EpochRecord(epoch, 1 / epoch, None, None, None, 0.1, 0.0, epoch + 1) for epoch in (1, 2, 4)]
    history = history_of(some)
    assert len(history) == 3
    assert list(history) == some
    assert history.last is some[-1]
    assert history["train_loss"] == [1.0, 0.5, 0.25]
    assert history["epoch"] == [1, 2, 4]
    assert history["threads"] == [2, 3, 5]
    assert history["validation_loss"] == [None] * 3
    assert History().last is None
    with pytest.raises(KeyError):
        history["no column"]


HEADER = ",".join(COLUMNS) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "epoch,loss\n1,2\n",
        HEADER.replace("epoch", "Epoch"),
        HEADER + "1,2,3\n",
        HEADER + "1,2,3,4,5,6,7\n",
        HEADER + "1,2,3,4,5,6,7,8,9\n",
        HEADER + "one,2,3,4,5,6,7,8\n",
        HEADER + "1.5,2,3,4,5,6,7,8\n",
        HEADER + "1,2,3,4,5,6,7,8.5\n",
        HEADER + "1,two,3,4,5,6,7,8\n",
        HEADER + "\n",
        HEADER + "1,2\r3,,,,,,,\n",
        HEADER + "1" * 200_000,
        HEADER.strip() + ",validation_auc\n1,2,3,4,5,6,7,8\n",
        HEADER.strip() + ",validation_auc\n1,2,3,4,5,6,7,8,nine\n",
        HEADER.strip() + ",validation_auc\n1,2,3,4,5,6,7,8,\n",
    ],
)
def test_what_is_no_history_is_refused(text):
    with pytest.raises(ValueError, match=r".") as caught:
        History.from_csv(text)
    assert type(caught.value) is ValueError


GOOD = ["1", "0.5", "", "", "", "0.1", "2.0", "1", "", "", "", ""]


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("epoch", "0", "line 2: epoch: input should be greater than or equal to 1, got 0"),
        ("epoch", "2", "line 2: epoch: expected 1, got 2"),
        ("epoch", "1.5", "line 2: epoch: input should be a valid integer, got '1.5'"),
        ("train_loss", "", "line 2: train_loss: input should be a valid number, got None"),
        ("train_loss", "two", "line 2: train_loss: input should be a valid number, got 'two'"),
        ("learning_rate", "nan", "line 2: learning_rate: input should be a finite number, got nan"),
        ("seconds", "-1", "line 2: seconds: input should be greater than or equal to 0, got -1.0"),
        ("seconds", "1e300", "line 2: seconds: input should be less than or equal to 1000000000000, got 1e+300"),
        ("dead_units", "-1", "line 2: dead_units: input should be greater than or equal to 0, got -1"),
        ("threads", "9" * 5000, "line 2: threads: input should be a valid integer, got '9999"),
    ],
)
def test_a_cell_that_is_none_is_named(column, cell, said):
    cells = [cell if name == column else given for name, given in zip(COLUMNS, GOOD, strict=True)]
    text = ",".join(COLUMNS) + "\n" + ",".join(GOOD)
    assert len(History.from_csv(text)) == 1
    with pytest.raises(ValueError, match=r".") as caught:
        History.from_csv(text.replace(",".join(GOOD), ",".join(cells)))
    assert str(caught.value).startswith(said)
    assert len(str(caught.value)) < 200


def test_columns_of_the_same_name_are_refused():
    text = ",".join([*COLUMNS, "validation_auc", "validation_auc"]) + "\n" + ",".join([*GOOD, "0.5", "0.5"])
    with pytest.raises(ValueError, match="two columns have the same name"):
        History.from_csv(text)


def test_extreme_numbers_keep_every_bit():
    tiny = math.ulp(0.0)
    record = EpochRecord(1, tiny, 0.1, 1e308, None, -0.0, 1 / 3, 1)
    back = History.from_csv(history_of([record]).to_csv()).last
    assert back == record
    assert math.copysign(1, back.learning_rate) == -1


def test_a_long_history_is_printed_by_its_ends():
    def lines(n):
        return str(history_of(EpochRecord(k + 1, 1.0, *[None] * 3, 0.1, 0.5, 1) for k in range(n))).splitlines()

    assert [line.split("  ")[0] for line in lines(10)] == [f"epoch {k}" for k in range(1, 11)]
    expected = [*[f"epoch {k}" for k in range(1, 6)], "...", *[f"epoch {k}" for k in range(7, 12)]]
    assert [line.split("  ")[0] for line in lines(11)] == expected


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (
            (1, 0.5, 0.75, 0.25, 1.0),
            "epoch 1  loss 0.5000  accuracy 0.7500  validation loss 0.2500  accuracy 1.0000",
        ),
        ((2, 9999.0, None, None, None), "epoch 2  loss 9999.0000"),
        ((2, 10000.0, None, -12345.0, None), "epoch 2  loss 1e+04  validation loss -1.234e+04"),
    ],
)
def test_an_epoch_in_a_few_words(record, said):
    assert EpochRecord(*record, 0.1, 1.0, 1).summary == said


def test_seconds_add_up_and_counts_stay_whole():
    some = [EpochRecord(k, 1.0, None, None, None, 0.1, k / 4, 2, {}, 3, 4, 0.5, 0.25) for k in (1, 2, 3)]
    history = history_of(some)
    assert history.seconds == 1.5
    back = History.from_csv(history.to_csv()).last
    assert {type(getattr(back, name)) for name in ("epoch", "threads", "dead_units", "saturated_units")} == {int}
    assert {type(getattr(back, name)) for name in ("train_loss", "gradient_norm", "update_ratio")} == {float}


def test_a_short_line_is_named_by_its_number():
    text = history_of([EpochRecord(epoch, 0.5, None, None, None, 0.1, 1.0, 1) for epoch in (1, 2)]).to_csv()
    with pytest.raises(ValueError, match=r"^line 4 holds 2 cells, expected 12$"):
        History.from_csv(text + "3,0.5\n")
