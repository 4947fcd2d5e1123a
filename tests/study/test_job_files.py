"""The files of a run on their way between machines."""

from pathlib import Path

import pytest
from tests.study.studies import done, points, small

from glassnet.errors import FileError
from glassnet.study.job import Job
from glassnet.study.job_files import pack_run, unpack_run


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """A run that is done."""
    folder = tmp_path_factory.mktemp("study")
    study = small(points(folder), factors={"optimizer": {"levels": ["adam", "sgd(0.1)"]}}, seeds=1)
    done(study, folder / "study")
    variant = study.variants()[0]
    config = variant.with_seed(0)
    return Job(variant.name, variant.levels, 0, config, folder / "study", "base_seed-0", study.measure)


def moved(job, folder):
    return Job(job.variant, job.levels, job.seed, job.config, folder, job.name, job.measure)


def test_a_run_arrives_as_it_left(job, tmp_path):
    files = pack_run(job)
    assert list(files)[-1] == "config.toml"
    assert not [name for name in files if name.startswith(".")]
    there = moved(job, tmp_path)
    assert pack_run(there) == {}
    there.run_dir.mkdir(parents=True)
    (there.run_dir / "report.html").write_text("of a run before")
    unpack_run(there, files)
    assert pack_run(there) == files
    assert {path.name for path in there.run_dir.iterdir()} == set(files)


def test_one_that_is_cut_off_is_no_run(job, tmp_path, monkeypatch):
    """The configuration goes first and comes last: without it a folder is begun anew."""
    there = moved(job, tmp_path)
    unpack_run(there, pack_run(job))

    def full(path, content):
        raise FileError(path, "cannot be written: No space left on device")

    monkeypatch.setattr("glassnet.study.job_files.write_bytes", full)
    with pytest.raises(FileError, match="No space left"):
        unpack_run(there, pack_run(job))
    assert pack_run(there) == {}
    (tmp_path / "runs").rename(tmp_path / "elsewhere")
    Path(tmp_path / "runs").write_text("in the way")
    with pytest.raises(FileError, match="base_seed-0: cannot be written"):
        unpack_run(there, pack_run(job))


@pytest.mark.parametrize(
    "name", ["../other/config.toml", "/tmp/planted", "a/b", "..", ".lock", "", "a\\b", "a\0b"]
)
def test_a_name_that_leads_elsewhere_is_refused_before_anything_changes(job, tmp_path, name):
    there, files = moved(job, tmp_path), pack_run(job)
    unpack_run(there, files)
    with pytest.raises(FileError, match=r"a worker sent .* which is no name of a file in it"):
        unpack_run(there, {name: b"", "config.toml": b""})
    assert pack_run(there) == files
