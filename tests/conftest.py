"""What all tests share: where the real data are, and strict arithmetic."""

import importlib
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import settings
from tests.asserting import pytest_runtest_call  # noqa: F401
from tests.screens import SIZES

#: Not tests: a script that needs PyTorch, one that plants faults, and the programs that train networks.
collect_ignore = ["nn/optimizers/make_optimizer_trajectories.py", "mutants.py"]
collect_ignore_glob = ["training/health/battery*.py"]

# A shell has its background jobs ignore SIGINT, and nohup SIGHUP, and so would every process that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)  # the session ignores it on

# Tests read English, whatever language the system speaks.
for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
    if os.environ.get(name, "").lower().startswith("zh"):
        os.environ[name] = "C.UTF-8"

# Files of tests are kept in memory where there is room for them: each of many small writes would wait for a disk.
MEMORY = Path("/dev/shm")
if MEMORY.is_dir() and os.access(MEMORY, os.W_OK):
    disk = os.statvfs(MEMORY)
    if (
        disk.f_bavail * disk.f_frsize > 4 * 2**30 and not disk.f_flag & os.ST_NOEXEC
    ):  # compiled code is loaded from it
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("here", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(autouse=True)
def strict_arithmetic():
    """An overflow, division by zero or invalid operation that nobody asked for fails the test."""
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield


@pytest.fixture(scope="session")
def caches(tmp_path_factory):
    return tmp_path_factory.mktemp("caches")


@pytest.fixture(autouse=True)
def isolated_environment(caches, monkeypatch):
    """No test reads or writes the user's cache, or depends on how the user likes a terminal."""
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    # not pytest's numbered folders: for each new one it looks through thousands
    cache = tempfile.mkdtemp(dir=caches)
    monkeypatch.setenv("XDG_CACHE_HOME", cache)
    yield
    shutil.rmtree(Path(cache, "glassnet", "unpacked"), ignore_errors=True)  # 55 MB of Fashion-MNIST


@pytest.fixture(scope="session")
def session_cache(tmp_path_factory):
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # what one process compiled, the others load
        folder = folder.parent
    return folder / "compiled"


@pytest.fixture
def compiled_code(isolated_environment, session_cache, monkeypatch):
    """Compiled code is kept for the session: tests that train the same network compile it once."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(session_cache))


@pytest.fixture(scope="session")
def fashion_mnist_home():
    """The folder that GLASSNET_DATA names. CI must have it; elsewhere the tests that need it are skipped."""
    home = os.environ.get("GLASSNET_DATA", "")
    if not (Path(home) / "fashion-mnist").is_dir() or not home:
        if os.environ.get("CI"):
            pytest.fail("GLASSNET_DATA names no folder with fashion-mnist in it, and CI needs it")
        pytest.skip("needs Fashion-MNIST: set GLASSNET_DATA to the folder that holds fashion-mnist/")
    return str(Path(home).resolve())  # tests change the working folder


@pytest.fixture(scope="session")
def compiler():
    """A compiler of C. CI must have one; elsewhere the tests that need it are skipped."""
    found = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("there is no cc, gcc or clang, and CI needs a compiler of C")
        pytest.skip("needs a compiler of C: cc, gcc or clang")
    return found


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium, the system's or Playwright's own. CI must have one; elsewhere tests skip without."""
    from playwright.sync_api import Error, sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=found, args=quiet)
        except Error as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"needs Chromium: {error.message.splitlines()[0]}")
        yield chromium
        chromium.close()


@pytest.fixture
def open_file(browser):
    """Open a page as a file; whatever it says on the console, and whatever it asks for, fails the test."""
    said, contexts = [], []

    def open_it(file, size=SIZES[0], **options):
        contexts.append(browser.new_context(viewport={"width": size[0], "height": size[1]}, **options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda asked: asked.url == file.as_uri() or said.append(asked.url[:80]))
        page.goto(file.as_uri())
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert [line for line in said if not line.startswith("data:image/png")] == []


#: What somebody may get into a page: a script, handlers, styles, an address that is a script, another base.
PLANTED = """<script>document.title = "planted"</script><style>#planted { height: 77px; }</style>
<img src="x" onerror="document.title = 'planted'"><base href="https://example.org/">
<button id="planted" style="width: 77px" onclick="document.title = 'planted'">planted</button>
<a id="address" href="javascript:document.title = 'planted'">planted</a></main>"""


@pytest.fixture
def assert_nothing_planted_works(browser, tmp_path):
    """Demand that nothing that was planted in a page has an effect, and that the page's own script goes on."""

    def demand(html):
        file, said = tmp_path / "planted.html", []
        file.write_text(html.replace("</main>", PLANTED), encoding="utf-8")
        page = browser.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.goto(file.as_uri())
        title = page.title()
        page.click("#planted")
        page.click("#address")
        page.click("#theme")
        width, height = page.locator("#planted").evaluate("one => [one.offsetWidth, one.offsetHeight]")
        assert page.title() == title != "planted"
        assert 77 not in (width, height)
        assert page.evaluate("document.baseURI") == file.as_uri()
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        assert sum("Content Security Policy" in line for line in said) >= 7, said
        page.close()

    return demand


@pytest.fixture
def decode_here(monkeypatch):
    """Tables are decoded in this process, as the one of its own would do it: that takes most of a test's time."""
    from glassnet.data import decoding

    def run(command, **_):
        module = importlib.import_module(command[3])
        return subprocess.CompletedProcess(command, *decoding.answer(module.write_arrow, command[4:]), b"")

    monkeypatch.setattr(decoding, "limit_memory", lambda more: None)
    monkeypatch.setattr(decoding, "subprocess", SimpleNamespace(**vars(subprocess) | {"run": run}))
