"""Every bad file is refused in one line that names it, the place in it, and what is wrong; nothing is written."""

import os
from pathlib import Path

import pytest
from tests.data import bad_files as bad

from glassnet import Dataset, Network, load_dataset, save_model
from glassnet.cli.main import main
from glassnet.data import untrusted_files
from glassnet.training.model import Model

TRAIN = "--epochs 1 --kernels numpy --quiet"


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Untrained models of a table and of arrays, as files."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "t.csv").write_bytes(bad.lines())
    (folder / "d.npz").write_bytes(bad.GOOD_NPZ)
    table, array = load_dataset(folder / "t.csv", target="kind"), load_dataset(folder / "d.npz")
    for name, data in (("table", table), ("array", array)):
        save_model(Model(Network([data.n_inputs, 3]), data.schema), folder / f"{name}.safetensors")
    return {name: (folder / f"{name}.safetensors").read_bytes() for name in ("table", "array")}


@pytest.fixture
def refused(decode_here, tmp_path, monkeypatch, capsys):
    """Write files, run a command on them, and return the one line that it ends with."""
    monkeypatch.chdir(tmp_path)
    locked = []
    opened = Path.open

    def open_unless_locked(path, *options, **named):
        if path.name in locked:
            raise PermissionError(13, "Permission denied")
        return opened(path, *options, **named)

    monkeypatch.setattr(Path, "open", open_unless_locked)  # root may read everything, so chmod would not do

    def run(command, code=1, **files):
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is bad.FOLDER:
                path.mkdir()
            elif content is bad.PIPE:
                os.mkfifo(path)
            else:
                path.write_bytes(b"locked" if content is bad.LOCKED else content)
            if content is bad.LOCKED:
                locked.append(path.name)
        before = sorted(tmp_path.rglob("*"))
        assert main(command.split()) == code
        said, printed = capsys.readouterr().err, sorted(tmp_path.rglob("*"))
        assert printed == before
        assert said.count("\n") == 1
        assert said.startswith("glassnet: ")
        return said

    return run


def parametrize(names, cases):
    return pytest.mark.parametrize(names, cases.values(), ids=cases)


def test_there_are_more_than_two_hundred_bad_files():
    groups = (bad.IDX_FILES, bad.GZIP_FILES, bad.NPY_FILES, bad.NPZ_FILES, bad.TEXT_FILES, bad.PICTURE_FILES)
    groups += (bad.MODEL_FILES, bad.NEW_ROWS, bad.NEW_ROWS, bad.ANSWERS, bad.USAGE)
    assert sum(map(len, groups)) > 200


@parametrize(("pictures", "labels", "said"), bad.IDX_FILES)
def test_idx(refused, pictures, labels, said):
    assert said in refused(f"train {bad.X_IDX} {TRAIN}", **{bad.X_IDX: pictures, bad.Y_IDX: labels})


@parametrize(("content", "said"), bad.GZIP_FILES)
def test_gzip(refused, content, said):
    files = {f"{bad.X_IDX}.gz": content, f"{bad.Y_IDX}.gz": bad.gzip.compress(bad.idx(bad.LABELS))}
    assert said in refused(f"train {bad.X_IDX}.gz {TRAIN}", **files)


@parametrize(("rows", "labels", "name", "said"), bad.NPY_FILES)
def test_npy(refused, rows, labels, name, said):
    assert said in refused(f"train X.npy --target {name} {TRAIN}", **{"X.npy": rows, name: labels})


@parametrize(("content", "said"), bad.NPZ_FILES)
def test_npz(refused, content, said):
    assert said in refused(f"train d.npz {TRAIN}", **{"d.npz": content})


@parametrize(("name", "content", "said"), bad.TEXT_FILES)
def test_tables(refused, name, content, said):
    assert said in refused(f"train {name} --target kind {TRAIN}", **{name: content})


@parametrize(("name", "content", "said"), bad.PICTURE_FILES)
def test_pictures(refused, name, content, said):
    good = {f"p/{one}/{i}.png": bad.png(bad.PICTURES[i]) for one in "ab" for i in range(3)}
    line = refused(f"train p {TRAIN}", **good, **{f"p/{name}": content})
    assert line.startswith(f"glassnet: p/{name if name.startswith('a') or '/' not in name else name[0]}: ")
    assert said in line


def test_other_commands_that_read_data_say_the_same(refused):
    for case in ("page", "long row", "word", "blank U+200B"):
        name, content, said = bad.TEXT_FILES[case]
        assert said in refused(f"check {name} --target kind", **{name: content})
        if case in ("page", "long row"):  # of values the audit makes a report
            assert said in refused(f"data audit {name} --target kind", **{name: content})


@parametrize(("content", "said"), bad.MODEL_FILES)
def test_model_files(refused, content, said):
    line = refused("predict m.safetensors q.csv", **{"m.safetensors": content, "q.csv": bad.lines()})
    assert "m.safetensors" in line
    assert said in line


@pytest.mark.parametrize("command", ["predict", "evaluate"])
@parametrize(("model", "name", "content", "said"), bad.NEW_ROWS)
def test_new_rows(refused, models, command, model, name, content, said):
    files = {"m.safetensors": models[model], name: content}
    assert said in refused(f"{command} m.safetensors {name}", **files)


@parametrize(("model", "name", "content", "said"), bad.ANSWERS)
def test_answers(refused, models, model, name, content, said):
    assert said in refused(f"evaluate m.safetensors {name}", **{"m.safetensors": models[model], name: content})


@parametrize(("command", "name", "content", "said"), bad.USAGE)
def test_usage(refused, command, name, content, said):
    assert said in refused(f"{command} {TRAIN}", code=2, **{name: content})


def test_a_table_whose_numbers_do_not_fit_into_memory_is_refused(refused, monkeypatch):
    monkeypatch.setattr(untrusted_files, "available_memory", lambda: 319)
    said = "t.csv: 40 rows of 2 numbers: needs 320 bytes of memory, and 319 bytes are free; drop columns"
    assert said in refused(f"train t.csv --target kind {TRAIN}", **{"t.csv": bad.lines()})


def test_rows_of_arrays_in_python_are_counted_before_the_split():
    data = Dataset.from_arrays(bad.changed(bad.X, float("nan"), (7, 2)), bad.Y)
    with pytest.raises(ValueError, match=r"^X: row 8 \(X\[7\]\), column 3 holds nan"):
        _ = data.encoded
