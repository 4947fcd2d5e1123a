import contextlib
import errno
import functools
import hashlib
import http.server
import io
import os
import shutil
import threading
import time
from pathlib import Path

import pytest

from glassnet.data.registry import DATASETS
from glassnet.data.sources import DownloadError, Source, cache_folder, download, md5
from glassnet.errors import DataError, FileError

CONTENT = {"one.gz": b"first file", "two.gz": b"second file" * 9000}


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing on stderr."""


class Server:
    """A web server of one folder on 127.0.0.1, and what it was asked for.

    It honours ``Range`` where it `resumes`, counts the bytes it sends then, and hangs up after `cut` bytes. With
    `speak`, that answers in its place, and is handed what it may write to.
    """

    def __init__(self, folder):
        self.folder, self.asked, self.ranges = folder, [], []
        self.resumes, self.cut, self.sent, self.speak = False, None, 0, None
        outer = self

        class Handler(Quiet):
            def do_GET(self):
                outer.asked.append(self.path)
                outer.ranges.append(self.headers["Range"])
                if outer.speak is not None:
                    with contextlib.suppress(ConnectionError):  # the client has hung up
                        outer.speak(self.wfile)
                    return
                if not outer.resumes and outer.cut is None:
                    super().do_GET()
                    return
                start = int((self.headers["Range"] or "bytes=0-")[6:-1]) if outer.resumes else 0
                rest = Path(self.translate_path(self.path)).read_bytes()[start:]
                if not rest:
                    self.send_error(416)
                    return
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(rest)))
                self.end_headers()
                outer.sent += len(rest[: outer.cut])  # before the client can have it
                self.wfile.write(rest[: outer.cut])

        handler = functools.partial(Handler, directory=str(folder))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = False  # so that closing waits for the answers under way
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def stop(self):
        if self.thread.is_alive():
            self.server.shutdown()
            self.server.server_close()
            self.thread.join()


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.delenv("GLASSNET_DATA", raising=False)
    for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    folder = tmp_path / "served"
    folder.mkdir()
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)
    server = Server(folder)
    yield server
    server.stop()


@pytest.fixture
def source(server):
    return Source("things", server.url, {name: hashlib.md5(body).hexdigest() for name, body in CONTENT.items()})


def fill(folder, names=CONTENT):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(CONTENT[name if name.endswith(".gz") else f"{name}.gz"])
    return folder


def files(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def refusal(call):
    with pytest.raises((DataError, FileError)) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_md5_is_the_files(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")
    assert md5(tmp_path / "file") == "900150983cd24fb0d6963f7d28e17f72"


def test_the_cache_is_the_users_own(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "glassnet"


def test_data_dir_comes_before_the_variable_before_the_cache_before_the_download(
    source, server, tmp_path, monkeypatch
):
    given, named = fill(tmp_path / "given"), fill(tmp_path / "named")
    monkeypatch.setenv("GLASSNET_DATA", str(named))
    assert source.locate(given) == {name: given / name for name in CONTENT}
    assert source.locate(str(given))["one.gz"] == given / "one.gz"
    assert source.locate() == {name: named / name for name in CONTENT}
    # A folder without the data is passed over; the variable does not come after data_dir.
    empty = tmp_path / "empty"
    empty.mkdir()
    cache = fill(cache_folder() / "things")
    assert source.locate(empty) == {name: cache / name for name in CONTENT}
    assert server.asked == []
    shutil.rmtree(cache)
    assert source.locate(empty) == {name: cache / name for name in CONTENT}
    assert server.asked == ["/one.gz", "/two.gz"]


def test_the_sets_own_folder_comes_first_and_raw_files_do_as_well(source, tmp_path):
    around = fill(tmp_path / "home")
    assert source.locate(around)["one.gz"] == around / "one.gz"
    own = fill(around / "things", ["one", "two.gz"])
    assert source.locate(around) == {"one.gz": own / "one", "two.gz": own / "two.gz"}
    fill(own, ["one.gz"])
    assert source.locate(around)["one.gz"] == own / "one.gz"


@pytest.mark.parametrize("missing", CONTENT)
def test_one_missing_file_is_named_and_not_downloaded(source, server, tmp_path, missing):
    home = fill(tmp_path / "home" / "things", set(CONTENT) - {missing})
    message = refusal(lambda: source.locate(home.parent))
    assert message == f"{home / missing}: is missing beside the other files of things"
    assert server.asked == []


def test_a_folder_that_is_none_is_refused_with_the_name_of_what_names_it(source, tmp_path, monkeypatch):
    nowhere = tmp_path / "nowhere"
    assert refusal(lambda: source.locate(nowhere)) == f"{nowhere}: is no folder, but data_dir names it"
    monkeypatch.setenv("GLASSNET_DATA", str(nowhere))
    assert refusal(source.locate) == f"{nowhere}: is no folder, but GLASSNET_DATA names it"
    nowhere.write_bytes(b"a file")
    assert "is no folder" in refusal(source.locate)


def test_a_download_is_kept_in_the_cache_and_used_when_the_server_is_gone(source, server, capfd):
    first = source.locate()
    server.stop()
    assert source.locate() == first == {name: cache_folder() / "things" / name for name in CONTENT}
    for name, path in first.items():
        assert path.read_bytes() == CONTENT[name]
    assert capfd.readouterr().out == ""


def test_a_damaged_file_in_the_cache_is_downloaded_again(source, server):
    paths = source.locate()
    paths["two.gz"].write_bytes(b"half")
    assert source.locate()["two.gz"].read_bytes() == CONTENT["two.gz"]
    assert server.asked == ["/one.gz", "/two.gz", "/two.gz"]
    paths["two.gz"].write_bytes(b"half")
    server.stop()
    assert "no connection" in refusal(source.locate)


def test_a_download_with_the_wrong_checksum_leaves_nothing(source, server):
    (server.folder / "one.gz").write_bytes(b"not the file that was published")
    message = refusal(source.locate)
    assert f"download from {server.url}: the checksum of what arrived is wrong" in message
    assert files(cache_folder()) == []


TWO = CONTENT["two.gz"]


@pytest.fixture
def place(tmp_path):
    """Where two.gz is to be put, and where the part of it is kept."""
    folder = tmp_path / "place"
    folder.mkdir()
    return folder / "two.gz", folder / ".two.gz.part"


def get_two(server, path, **options):
    download(f"{server.url}two.gz", path, hashlib.md5(TWO).hexdigest(), **options)


@pytest.mark.parametrize(
    ("part", "resumes", "ranges", "sent"),
    [
        (None, True, [None], len(TWO)),
        (b"", True, [None], len(TWO)),
        (TWO[:30_000], True, ["bytes=30000-"], len(TWO) - 30_000),
        (TWO[:-1], True, [f"bytes={len(TWO) - 1}-"], 1),
        (TWO, True, [f"bytes={len(TWO)}-"], 0),  # complete: the server answers 416
        (TWO[:30_000], False, ["bytes=30000-"], 0),
        (TWO, False, [f"bytes={len(TWO)}-"], 0),
        (b"another file", True, ["bytes=12-", None], 2 * len(TWO) - 12),
        (TWO + b"and more", True, [f"bytes={len(TWO) + 8}-", None], len(TWO)),  # 416 as well
        (b"another file", False, ["bytes=12-"], 0),
    ],
)
def test_a_download_goes_on_from_its_part_and_starts_over_once_where_it_cannot(
    server, place, part, resumes, ranges, sent
):
    path, kept = place
    if part is not None:
        kept.write_bytes(part)
    server.resumes = resumes
    get_two(server, path)
    assert path.read_bytes() == TWO
    assert (server.ranges, server.sent) == (ranges, sent)
    assert files(path.parent) == ["two.gz"]


@pytest.mark.parametrize("resumes", [False, True])
def test_a_part_and_a_server_that_are_both_wrong_end_after_one_new_start(server, place, resumes):
    path, kept = place
    kept.write_bytes(b"another file")
    (server.folder / "two.gz").write_bytes(b"not the file that was published")
    server.resumes = resumes
    with pytest.raises(ValueError, match="the checksum of what arrived is wrong"):
        get_two(server, path)
    assert server.ranges == ["bytes=12-", None]
    assert files(path.parent) == []


@pytest.mark.parametrize("resumes", [False, True])
def test_a_connection_cut_in_the_middle_leaves_the_part_and_the_next_call_completes_it(source, server, resumes):
    server.resumes, server.cut = resumes, 90_000
    assert "download" in refusal(source.locate)
    folder = cache_folder() / "things"
    assert files(folder) == [".two.gz.part", "one.gz"]
    part = (folder / ".two.gz.part").read_bytes()
    assert part
    assert TWO.startswith(part)
    server.cut, server.sent = None, 0
    assert source.locate()["two.gz"].read_bytes() == TWO
    assert server.asked == ["/one.gz", "/two.gz", "/two.gz"]
    assert server.ranges == [None, None, f"bytes={len(part)}-"]
    assert server.sent == (len(TWO) - len(part) if resumes else 0)
    assert files(folder) == ["one.gz", "two.gz"]


def say(head, *pieces, pause=0.0):
    """Return what a server says: lines of a head, and pieces of a body with a pause behind each."""

    def speak(file):
        file.write("\r\n".join(["HTTP/1.1 200 OK", *head, "", ""]).encode())
        for piece in pieces:
            file.write(piece)
            file.flush()
            time.sleep(pause)

    return speak


@pytest.mark.parametrize("head", [[], [f"Content-Length: {len(TWO)}"]])
def test_a_server_that_falls_silent_or_trickles_is_left_and_what_came_is_kept(server, place, monkeypatch, head):
    path, kept = place
    monkeypatch.setattr("glassnet.data.sources.TIMEOUT", 0.2)
    server.speak = say(head, TWO[:5000], pause=0.5)
    with pytest.raises(DownloadError, match=r"no answer within 0.2 s; the 5,000 bytes that arrived are kept, and"):
        get_two(server, path)
    assert kept.read_bytes() == TWO[:5000]
    monkeypatch.setattr("glassnet.data.sources.PATIENCE", 0.4)
    monkeypatch.setattr("glassnet.data.sources.SLOWEST", 1e12)
    server.speak = say(head, *[TWO[k : k + 1] for k in range(40)], pause=0.05)  # never silent for long
    with pytest.raises(DownloadError, match=r"not complete after 0 s; the \d+ bytes that arrived are kept"):
        get_two(server, path)
    assert TWO.startswith(kept.read_bytes())
    assert 1 < kept.stat().st_size < 30
    monkeypatch.setattr("glassnet.data.sources.PATIENCE", 600)
    server.speak, server.resumes = None, True
    get_two(server, path)
    assert path.read_bytes() == TWO


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"size": len(TWO)}, "99,000"),
        ({"size": len(TWO), "most": 10}, "99,000"),
        ({"most": 99_000}, "99,000 at most"),
    ],
)
def test_more_bytes_than_a_file_has_are_not_taken(server, place, options, wanted):
    path, kept = place
    server.speak = say(["Content-Length: 99001"], TWO, b"more")
    with pytest.raises(DownloadError, match=f"the server offers 99,001 bytes, and the file has {wanted}$"):
        get_two(server, path, **options)
    assert not kept.exists()
    server.speak = say([], TWO, *[b"more" * 1000] * 1000)  # it does not say how much there is
    with pytest.raises(DownloadError, match=f"more bytes arrived than the file has: {wanted}$"):
        get_two(server, path, **options)
    assert kept.read_bytes() == b""
    server.speak = None
    get_two(server, path, **options)
    assert path.read_bytes() == TWO


def test_a_length_that_is_not_the_files_is_refused_before_anything_is_written(server, place):
    path, kept = place
    page = b"<html>Please log in</html>"
    server.speak = say([f"Content-Length: {len(page)}"], page)
    with pytest.raises(DownloadError, match="the server offers 26 bytes, and the file has 99,000"):
        get_two(server, path, size=len(TWO))
    assert not kept.exists()


def test_an_end_without_a_length_is_no_end_of_a_file_whose_size_is_known(server, place):
    path, kept = place
    server.speak = say([], TWO[:90_000])
    with pytest.raises(DownloadError, match="the connection ended; the 90,000 bytes that arrived are kept"):
        get_two(server, path, size=len(TWO))
    assert kept.read_bytes() == TWO[:90_000]
    server.speak = say(["Content-Length: much"], TWO)  # no number is as none
    get_two(server, path, size=len(TWO))
    assert path.read_bytes() == TWO


def test_known_sizes_are_those_of_the_files(fashion_mnist_home):
    source = DATASETS["fashion-mnist"].source
    sizes = {name: path.stat().st_size for name, path in source.locate(fashion_mnist_home).items()}
    assert sizes == source.sizes


def test_a_file_of_medmnist_may_have_the_bytes_of_its_pixels_and_little_more():
    pixels = 107_180 * 28 * 28 * 3
    assert pixels < DATASETS["pathmnist"].source.most < 1.1 * pixels


def test_a_part_is_kept_while_the_server_is_gone_or_answers_with_an_error(source, server):
    kept = fill(cache_folder() / "things", ["one.gz"]) / ".two.gz.part"
    kept.write_bytes(TWO[:70])
    (server.folder / "two.gz").unlink()
    assert "the server answered 404" in refusal(source.locate)
    server.stop()
    assert "no connection" in refusal(source.locate)
    assert kept.read_bytes() == TWO[:70]


def test_a_full_disk_is_an_error_of_one_line_and_leaves_what_was_there(source, server, monkeypatch):
    folder = fill(cache_folder() / "things", ["one.gz"])
    (folder / ".two.gz.part").write_bytes(TWO[:70])
    server.resumes = True

    class FullDisk(io.FileIO):
        def write(self, data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    to_open = Path.open

    def opened(path, mode="r", *arguments, **options):
        if path.name.endswith(".part") and mode != "rb":
            return FullDisk(path, mode.replace("b", ""))
        return to_open(path, mode, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", opened)
        assert "No space left on device" in refusal(source.locate)
    assert files(folder) == [".two.gz.part", "one.gz"]
    assert (folder / ".two.gz.part").read_bytes() == TWO[:70]
    assert source.locate()["two.gz"].read_bytes() == TWO
    assert server.ranges == ["bytes=70-", "bytes=70-"]


def test_a_query_stands_behind_the_files_name_in_the_address_only(source, server):
    asking = Source("asking", server.url, source.files, query="?download=1")
    paths = asking.locate()
    assert server.asked == ["/one.gz?download=1", "/two.gz?download=1"]
    assert paths == {name: cache_folder() / "asking" / name for name in CONTENT}


def test_whereabouts_are_the_folder_without_a_download(source, server, tmp_path):
    assert source.find_folder() is None
    assert source.find_folder(fill(tmp_path / "home" / "things").parent) == tmp_path / "home" / "things"
    fill(cache_folder() / "things")
    assert source.find_folder() == cache_folder() / "things"
    fill(tmp_path / "half", ["one.gz"])
    assert "two.gz: is missing" in refusal(lambda: source.find_folder(tmp_path / "half"))
    assert server.asked == []


def test_a_file_that_the_server_lacks_is_an_error_with_its_answer(source, server):
    (server.folder / "one.gz").unlink()
    assert "the server answered 404" in refusal(source.locate)
    assert files(cache_folder()) == []


def test_a_server_that_does_not_answer_in_time_is_given_up(source, monkeypatch):
    monkeypatch.setattr("glassnet.data.sources.TIMEOUT", 0.2)
    monkeypatch.setattr(Quiet, "send_head", lambda self: time.sleep(0.5))
    assert "no answer within 0.2 s" in refusal(source.locate)
    assert files(cache_folder()) == []


def test_a_cache_that_cannot_be_written_is_an_error_of_one_line(source, monkeypatch, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert "Not a directory" in refusal(source.locate)


def test_where_nothing_is_found_the_error_names_all_three_places_and_the_remedy(
    source, server, tmp_path, monkeypatch
):
    server.stop()
    message = refusal(source.locate)
    for part in (
        "things: not found",
        "GLASSNET_DATA or --data-dir: unset",
        f"cache {cache_folder() / 'things'}: nothing",
        f"download from {server.url}: no connection",
        "Go online, or put one.gz, two.gz into a folder things and set GLASSNET_DATA",
    ):
        assert part in message
    monkeypatch.setenv("GLASSNET_DATA", str(tmp_path))
    assert f"--data-dir: {tmp_path} (no things there)" in refusal(source.locate)
    assert Path(tmp_path).is_dir()
