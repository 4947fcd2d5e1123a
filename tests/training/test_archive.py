import errno
import functools
import json
import os
import pickle
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from safetensors import numpy as safetensors

from glassnet.errors import FileError
from glassnet.nn.network import Network
from glassnet.runtime.seeds import stream
from glassnet.training.archive import read_archive, write_archive
from glassnet.training.model_file import save_model

DTYPES = st.sampled_from(["float32", "float64", "int64", "uint8", "bool"])
ARRAYS = arrays_of.arrays(DTYPES, arrays_of.array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=5))
NAMES = st.text("abc_0", min_size=1, max_size=6)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(1 - 2**128, 2**128 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
SMALL = {"theta": np.array([1.5, -2.0], np.float32), "statistics": np.zeros(0), "t": 3, "watch": None}

#: What is said of a file that another version wrote.
OTHER = "; another version made it: train again"


def load(path):
    return read_archive(path, "checkpoint", "only a run that was begun can be resumed")


def exactly(value):
    """Return a state with arrays as their dtype, shape and bytes, so that == means equal bit for bit."""
    if isinstance(value, dict):
        return {name: exactly(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [exactly(part) for part in value]
    return (value.dtype, value.shape, value.tobytes()) if isinstance(value, np.ndarray) else value


def same(one, other):
    return exactly(one) == exactly(other)


def refused(path):
    with pytest.raises(FileError) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "checkpoint"


@given(
    st.dictionaries(NAMES, ARRAYS, min_size=1, max_size=4), st.dictionaries(st.text(max_size=5), JSON, max_size=4)
)
def test_arrays_and_values_come_back_bit_for_bit(tmp_path_factory, arrays, values):
    path = tmp_path_factory.getbasetemp() / "checkpoint"
    state = {"arrays": arrays, "values": values, "nested": [{"x": list(arrays.values())}, values]}
    write_archive(path, "checkpoint", state)
    back = load(path)
    assert same(back, state)
    assert json.dumps(back["values"]) == json.dumps(values)  # also the order, and -0.0


def test_strange_floats_and_views_come_back(path):
    numbers = np.array([[np.nan, np.inf, -0.0], [5e-324, 1e308, 1 / 3]])
    write_archive(path, "checkpoint", {"turned": numbers.T, "every second": numbers[:, ::2]})
    back = load(path)
    assert back["turned"].tobytes() == np.ascontiguousarray(numbers.T).tobytes()
    assert back["every second"].tobytes() == np.ascontiguousarray(numbers[:, ::2]).tobytes()
    back["turned"][0] = 1  # it is the caller's own


def test_a_generator_goes_on_where_it_was(path):
    generator = stream(3, "shuffling")
    generator.permutation(10)
    write_archive(path, "checkpoint", {"none": np.zeros(1), "state": generator.bit_generator.state})
    expected, other = generator.permutation(1000), stream(8, "shuffling")
    other.bit_generator.state = load(path)["state"]
    np.testing.assert_array_equal(other.permutation(1000), expected)


def test_a_save_replaces_what_was_there_and_leaves_nothing_beside_it(path):
    write_archive(path, "checkpoint", SMALL)
    later = {"theta": np.ones(3), "t": 4}
    write_archive(path, "checkpoint", later)
    assert same(load(path), later)
    assert [file.name for file in path.parent.iterdir()] == ["checkpoint"]


def test_a_save_that_fails_leaves_what_was_there(path, monkeypatch):
    write_archive(path, "checkpoint", SMALL)
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(FileError, match=r"checkpoint: cannot be written: No space left on device$"):
            write_archive(path, "checkpoint", {"theta": np.ones(3), "t": 4})
    assert same(load(path), SMALL)
    assert [file.name for file in path.parent.iterdir()] == ["checkpoint"]


def test_the_file_is_plain_safetensors(path):
    write_archive(path, "checkpoint", SMALL)
    assert set(safetensors.load(path.read_bytes())) == {"theta", "statistics"}


# Damage


def test_every_flipped_byte_is_refused_or_loads_the_original(path):
    write_archive(path, "checkpoint", SMALL)
    whole, same_again = path.read_bytes(), 0
    for place in range(len(whole)):
        for mask in (0x01, 0x20, 0xFF):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ mask]) + whole[place + 1 :])
            try:
                back = load(path)
            except FileError:
                continue
            assert same(back, SMALL)
            same_again += 1
    assert same_again < 30  # the padding of the header has no meaning


def test_every_truncation_and_any_tail_is_refused(path):
    write_archive(path, "checkpoint", SMALL)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        refused(path)
    path.write_bytes(whole + b"\0")
    refused(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'\\"t\\": 3', b'\\"t\\": 4'),
        (b"\0\0\xc0\x3f", b"\0\0\xc0\x3e"),
        (b'"theta":{', b'"thetb":{'),
        (b"[2]", b"[1]"),
    ],
    ids=["value", "number", "name", "shape"],
)
def test_what_was_changed_is_refused(path, old, new):
    write_archive(path, "checkpoint", SMALL)
    whole = path.read_bytes()
    assert whole.count(old) == 1
    path.write_bytes(whole.replace(old, new))
    assert refused(path).startswith("is damaged")


def test_another_dtype_of_the_same_bytes_is_refused(path):
    write_archive(path, "checkpoint", SMALL)
    path.write_bytes(path.read_bytes().replace(b'"F32"', b'"I32"'))
    assert refused(path) == "is damaged: its checksum is wrong; copy it again"


@pytest.mark.parametrize(
    "entry",
    ["[1]", "null", "no json", "5", "[" * 100_000, '{"kind": "checkpoint", "format": 5, "values": {}}', "{}"],
)
def test_an_entry_that_is_none_is_refused(path, entry):
    path.write_bytes(safetensors.save({"theta": np.zeros(2)}, {"glassnet": entry}))
    assert refused(path).startswith("is damaged or no checkpoint: ")


def test_files_of_others_are_refused(path):
    path.write_bytes(safetensors.save({"theta": np.zeros(2)}))
    assert refused(path) == "is no checkpoint of format 5, but a file of format none"
    path.write_bytes(
        safetensors.save({"theta": np.zeros(2)}, {"glassnet": '{"format": 2, "values": {}, "sha256": ""}'})
    )
    assert refused(path) == "is no checkpoint of format 5, but a file of format 2" + OTHER  # an earlier one
    save_model(Network([2, 2]), path)
    assert refused(path) == "is no checkpoint of format 5, but a model file of format 5"


@pytest.mark.parametrize("values", [[1], None, "text", {"theta": {"ndarray": "none"}}, {"x": {"ndarray": [1]}}])
def test_a_state_that_is_none_is_refused(path, values):
    write_archive(path, "checkpoint", values)  # with a right checksum
    assert refused(path).startswith("is damaged or no checkpoint: ")


def test_a_header_that_promises_much_takes_no_memory(path):
    path.write_bytes((2**62).to_bytes(8, "little") + b"{}")
    tracemalloc.start()
    refused(path)
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_a_pickle_is_refused_and_never_run(path):
    trap = path.parent / "sprung"

    class Exploding:
        def __reduce__(self):
            return os.mkdir, (str(trap),)

    path.write_bytes(pickle.dumps(Exploding()))
    assert refused(path).startswith("is damaged or no checkpoint")
    assert not trap.exists()


def test_missing_files_folders_and_pipes_are_refused(path):
    assert refused(path) == "does not exist; only a run that was begun can be resumed"
    os.mkfifo(path)
    assert refused(path) == "is not a regular file"
    path.unlink()
    path.mkdir()
    assert refused(path) == "is not a regular file"


def test_a_file_that_may_not_be_read_says_so(path, monkeypatch):
    """The library that reads the arrays calls it a missing one."""
    write_archive(path, "checkpoint", {"t": 1})

    def denied(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    assert refused(path) == "cannot be read: Permission denied"


def test_the_state_of_a_generator_may_have_128_bits(path):
    write_archive(path, "checkpoint", {"state": 2**128 - 1})
    assert load(path) == {"state": 2**128 - 1}


@pytest.mark.parametrize("value", [2**1000, "\ud800", functools.reduce(lambda inner, _: [inner], range(99), 1)])
def test_values_that_nothing_can_work_with_are_refused(path, value):
    write_archive(path, "checkpoint", {"t": value})
    assert refused(path).startswith("is damaged or no checkpoint: ")
