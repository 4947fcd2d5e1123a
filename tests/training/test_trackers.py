"""What trackers write is read back: event files by their format, MLflow's database by its client."""

import itertools
import math
import os
import struct
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlparse

import numpy as np
import pytest
from mlflow.tracking import MlflowClient
from tensorboardX import event_file_writer
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData

from glassnet.errors import FileError, UsageError
from glassnet.training.config import RunConfig
from glassnet.training.history import EpochRecord, History
from glassnet.training.trackers import MLFLOW_ENVIRONMENT, MLflow, TensorBoard, figures, settings

#: MLflow 3.17 loads its tables by an option that SQLAlchemy 2.1 wants to drop.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")

CONFIG = RunConfig(
    seed=3,
    data={"dataset": "digits"},
    network={"layers": [64, 16, 10]},
    training={"optimizer": "adam(0.25)", "epochs": 5},
    checksums={"my data (1).csv": "00"},
    environment={"python": "3.11"},
)


def record(epoch):
    """An epoch whose numbers float32 holds exactly."""
    return EpochRecord(epoch, 1 / 2**epoch, 0.75, 2 / 2**epoch, 0.5, 0.25, 2.0 * epoch, 2)


def run_of(epochs=0, folder=None, stopped="", config=CONFIG):
    run = SimpleNamespace(network=None, history=History(), config=config, folder=folder, stopped=stopped)
    for epoch in range(1, epochs + 1):
        run.history.append(record(epoch))
    return run


def train(tracker, run, epochs, stopped="epochs"):
    """Tell a tracker of a run that goes on until an epoch, as training does."""
    tracker.on_train_begin(run)
    for epoch in range(len(run.history) + 1, epochs + 1):
        run.history.append(record(epoch))
        assert tracker.on_epoch_end(run) is None
    run.stopped = stopped
    tracker.on_train_end(run)


# What is written


def test_figures_are_grouped_by_what_they_measure():
    assert figures(record(2)) == {
        "loss/train": 0.25,
        "accuracy/train": 0.75,
        "loss/validation": 0.5,
        "accuracy/validation": 0.5,
        "learning_rate": 0.25,
        "seconds": 4.0,
        "threads": 2.0,
    }


def test_figures_take_every_number_of_a_record_and_nothing_else():
    @dataclass
    class Wider:
        epoch: int = 1
        train_top_5: float | None = None
        validation: float = 0.5
        kernels: str = "numpy"
        norm: object = np.float32(0.25)
        measures: dict = field(default_factory=lambda: {"validation_auc": 1, "f1": math.inf, "none": None})

    found = figures(Wider())
    assert found == {"validation": 0.5, "norm": 0.25, "auc/validation": 1.0, "f1": math.inf}
    assert {type(value) for value in found.values()} == {float}


def test_settings_are_what_decides_a_run():
    found = settings(CONFIG)
    assert found["seed"] == 3
    assert found["data.dataset"] == "digits"
    assert found["network.layers"] == "[64, 16, 10]"
    assert found["network.output_scale"] == 1.0
    assert found["training.optimizer"] == "adam(0.25)"
    assert found["training.epochs"] == 5
    assert not {"training.threads", "start", "environment.python"} & set(found)
    assert not [name for name in found if name.startswith("checksums")]


# TensorBoard


def crc32c(data):
    """The Castagnoli checksum, bit by bit (RFC 3720, section 12.1)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def checksum(data):
    """As TFRecord files hold it: rotated by 15 bits, plus a constant."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def events_of(file):
    """Read an event file: length, its checksum, an event, its checksum."""
    content = file.read_bytes()
    place = 0
    while place < len(content):
        length, length_sum = struct.unpack_from("<QI", content, place)
        assert length_sum == checksum(content[place : place + 8])
        data = content[place + 12 : place + 12 + length]
        assert struct.unpack_from("<I", content, place + 12 + length) == (checksum(data),)
        yield Event.FromString(data)
        place += 16 + length


def shown(folder):
    """What TensorBoard shows of a folder: all files in order; a new session hides later steps of those before."""
    events = []
    for event in itertools.chain.from_iterable(events_of(file) for file in sorted(folder.iterdir())):
        if event.session_log.status == SessionLog.START:
            events = [earlier for earlier in events if earlier.step < event.step]
        events.append(event)
    return events


def curves(folder):
    points = {}
    for event in shown(folder):
        for value in event.summary.value:
            if value.WhichOneof("value") == "simple_value":
                points.setdefault(value.tag, []).append((event.step, value.simple_value))
    return points


def texts(folder):
    return [
        (event.step, value.tag, value.tensor.string_val[0].decode())
        for event in shown(folder)
        for value in event.summary.value
        if value.metadata.plugin_data.plugin_name == "text"
    ]


def test_the_checksum_is_the_standards():
    assert crc32c(b"123456789") == 0xE3069283


def test_tensorboard_holds_every_figure_of_every_epoch(tmp_path):
    train(TensorBoard(tmp_path / "new" / "run"), run_of(), 3)
    found = curves(tmp_path / "new" / "run")
    assert found.keys() == figures(record(1)).keys()
    assert found["loss/train"] == [(1, 0.5), (2, 0.25), (3, 0.125)]
    assert found["loss/validation"] == [(1, 1.0), (2, 0.5), (3, 0.25)]
    assert found["seconds"] == [(1, 2.0), (2, 4.0), (3, 6.0)]


def test_tensorboard_holds_the_configuration(tmp_path):
    train(TensorBoard(tmp_path), run_of(), 1)
    assert texts(tmp_path) == [(1, "configuration/text_summary", f"```toml\n{CONFIG.to_toml()}```")]
    plugins = [
        HParamsPluginData.FromString(value.metadata.plugin_data.content)
        for event in shown(tmp_path)
        for value in event.summary.value
        if value.metadata.plugin_data.plugin_name == "hparams"
    ]
    experiment, session = plugins[0].experiment, plugins[1].session_start_info
    assert {info.name for info in experiment.hparam_infos} == settings(CONFIG).keys()
    assert [info.name.tag for info in experiment.metric_infos][:2] == ["loss/train", "loss/validation"]
    assert session.hparams["training.optimizer"].string_value == "adam(0.25)"
    assert session.hparams["seed"].number_value == 3


def test_a_resumed_run_goes_on_where_it_was_saved(tmp_path):
    """Three epochs were logged and one of them saved: two are told of again, within the same second."""
    train(TensorBoard(tmp_path), run_of(), 3, stopped="")
    longer = CONFIG.model_copy(update={"seed": 4})
    train(TensorBoard(tmp_path), run_of(1, config=longer), 4)
    assert len(list(tmp_path.iterdir())) == 2
    assert [step for step, _ in curves(tmp_path)["loss/train"]] == [1, 2, 3, 4]
    assert [(step, "seed = 4" in text) for step, _, text in texts(tmp_path)] == [(1, False), (2, True)]


def test_another_run_takes_the_place_of_what_a_folder_shows(tmp_path):
    tracker = TensorBoard(tmp_path)
    train(tracker, run_of(), 3)
    train(tracker, run_of(), 2)
    assert [step for step, _ in curves(tmp_path)["loss/train"]] == [1, 2]
    assert len(texts(tmp_path)) == 1


def test_an_epoch_is_on_the_disk_at_once(tmp_path):
    tracker, run = TensorBoard(tmp_path), run_of()
    tracker.on_train_begin(run)
    assert len(texts(tmp_path)) == 1
    run.history.append(record(1))
    tracker.on_epoch_end(run)
    assert curves(tmp_path)["loss/train"] == [(1, 0.5)]
    tracker.on_train_end(run)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match=r"file/events: cannot be written: Not a directory"):
        TensorBoard(tmp_path / "file" / "events").on_train_begin(run_of())


def test_a_full_disk_ends_training_with_a_line(tmp_path, monkeypatch):
    def full(self):
        raise OSError(28, "No space left on device")

    tracker, run = TensorBoard(tmp_path), run_of(1)
    tracker.on_train_begin(run)
    monkeypatch.setattr(event_file_writer.EventsWriter, "flush", full)
    with pytest.raises(FileError, match=r"cannot be written: No space left on device"):
        tracker.on_epoch_end(run)
    monkeypatch.undo()
    tracker.on_train_end(run)


# MLflow


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/runs/mlflow.db"


@pytest.fixture
def tracker(uri, request):
    """A tracker with an experiment of its own."""
    return MLflow(request.node.name, uri)


def read(tracker):
    return MlflowClient(tracker.uri).get_run(tracker.run_id)


def metric(tracker, name):
    history = MlflowClient(tracker.uri).get_metric_history(tracker.run_id, name)
    return [(point.step, point.value) for point in history]


def test_mlflow_holds_settings_and_figures(tracker, capfd):
    train(tracker, run_of(), 3)
    found = read(tracker)
    assert found.data.params == {name: str(value) for name, value in settings(CONFIG).items()}
    assert found.data.metrics == figures(record(3))
    assert metric(tracker, "loss/train") == [(1, 0.5), (2, 0.25), (3, 0.125)]
    assert capfd.readouterr() == ("", "")


def test_mlflow_keeps_model_and_configuration_beside_the_database(tracker, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "first_run"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"theta")
    train(tracker, run_of(folder=folder), 1)
    found = read(tracker)
    assert found.info.run_name == "first_run"
    kept = Path(urlparse(found.info.artifact_uri).path)
    assert kept.is_relative_to(Path(tracker.uri.removeprefix("sqlite:///")).parent / "mlflow-artifacts")
    assert {file.name: file.read_bytes() for file in kept.iterdir()} == {
        "model.safetensors": b"theta",
        "config.toml": CONFIG.to_toml().encode(),
    }
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize(
    ("stopped", "status"),
    [
        ("epochs", "FINISHED"),
        ("good enough", "FINISHED"),
        ("interrupted", "KILLED"),
        ("non-finite", "FAILED"),
        ("", "FAILED"),
    ],
)
def test_mlflow_says_how_a_run_ended(tracker, stopped, status):
    tracker.on_train_begin(run_of())
    assert read(tracker).info.status == "RUNNING"
    tracker.on_train_end(run_of(stopped=stopped))
    assert read(tracker).info.status == status


def test_a_resumed_run_holds_all_epochs_once_and_the_first_stays(tracker):
    train(tracker, run_of(), 2, stopped="interrupted")
    first = tracker.run_id
    train(tracker, run_of(1), 3)
    assert metric(tracker, "loss/train") == [(1, 0.5), (2, 0.25), (3, 0.125)]
    client = MlflowClient(tracker.uri)
    assert client.get_run(first).info.status == "KILLED"
    assert read(tracker).info.experiment_id == client.get_run(first).info.experiment_id


def test_a_figure_may_be_infinite(tracker):
    run = run_of()
    tracker.on_train_begin(run)
    run.history.append(EpochRecord(1, math.inf, None, math.nan, None, 0.1, 1.0, 1))
    tracker.on_epoch_end(run)
    assert metric(tracker, "loss/train")[0][1] > 1e308
    assert math.isnan(metric(tracker, "loss/validation")[0][1])
    tracker.on_train_end(run)


def test_the_environment_says_where_mlflow_is(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert MLflow().uri == "sqlite:///runs/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example.org")
    assert MLflow().uri == "https://mlflow.example.org"
    assert MLflow(uri="sqlite:///own.db").uri == "sqlite:///own.db"


@pytest.mark.parametrize("variable", MLFLOW_ENVIRONMENT)
def test_mlflow_reports_to_nobody_and_gives_up_soon_unless_told_otherwise(variable, monkeypatch):
    monkeypatch.setenv(variable, "own")
    MLflow()
    assert os.environ[variable] == "own"
    monkeypatch.delenv(variable)
    MLflow()
    assert os.environ[variable] == MLFLOW_ENVIRONMENT[variable]


def test_a_deleted_experiment_is_named(tracker):
    client = MlflowClient(tracker.uri)
    client.delete_experiment(client.create_experiment(tracker.experiment))
    with pytest.raises(FileError, match=r"mlflow.db: MLflow cannot record the run: .*'active' state"):
        tracker.on_train_begin(run_of())
    tracker.on_train_end(run_of())


@pytest.mark.parametrize("uri", ["runs/mlflow.db", "nonsense://host"])
def test_what_is_no_database_is_refused(uri):
    with pytest.raises(FileError, match=rf"^{uri}: MLflow cannot record the run: "):
        MLflow(uri=uri).on_train_begin(run_of())


def test_a_database_in_no_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match=r"MLflow cannot record the run: .*exists"):
        MLflow(uri=f"sqlite:///{tmp_path}/file/mlflow.db").on_train_begin(run_of())


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "text.db").write_text("text" * 1000)
    with pytest.raises(FileError, match=r"text.db: MLflow cannot record the run: .*file is not a database$"):
        MLflow(uri=f"sqlite:///{tmp_path}/text.db").on_train_begin(run_of())


# Both


@pytest.mark.parametrize(
    ("make", "library", "message"),
    [
        (lambda: TensorBoard("x"), "tensorboardX", "tensorboard: tensorboardX is not installed: pip install "),
        (MLflow, "mlflow", "mlflow: mlflow is not installed: pip install 'glassnet[mlflow]'"),
    ],
)
def test_a_missing_library_is_named_before_training(make, library, message, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(UsageError, match=f"^{message}".replace("[", r"\[")):
        make()


def test_a_library_that_mlflow_needs_for_a_file_is_named(monkeypatch):
    def without(*arguments):
        raise ModuleNotFoundError("No module named 'sqlalchemy'", name="sqlalchemy")

    monkeypatch.setattr("mlflow.tracking.MlflowClient", without)
    with pytest.raises(
        UsageError, match=r"^mlflow: sqlalchemy is not installed: pip install 'glassnet\[mlflow\]'"
    ):
        MLflow(uri="sqlite:///mlflow.db").on_train_begin(run_of())


@pytest.mark.parametrize("make", [lambda folder: TensorBoard(folder / "x"), lambda folder: MLflow()])
def test_the_end_of_what_never_began_writes_nothing(make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make(tmp_path).on_train_end(run_of())
    assert not list(tmp_path.iterdir())
