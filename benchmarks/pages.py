"""How large pages are, and how soon a browser has loaded them: reports, and the page of `glassnet explain`.

    make bench        (or: python benchmarks/pages.py [--rounds 7])

In a headless Chromium, the system's or Playwright's, each page in turn from a file. Loading ends with the event
of the browser; the scripts of the page have run then. Writes results/pages.json and .md.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import machine
import numpy as np
from playwright.sync_api import sync_playwright
from results import number, table, write

import glassnet as gn

STUDY = """
name = "pages"
seeds = 3
[budget]
epochs = 8
[base.data]
dataset = "digits"
[base.network]
layers = [64, 16, 10]
[factors.activation]
key = "network.activation"
levels = ["relu", "tanh", "sigmoid", "silu"]
[factors.optimizer]
levels = ["adam", "sgd(0.1)", "rmsprop", "nesterov(0.05)", "adamw"]
"""
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
LOADED = """() => {
    const [page] = performance.getEntriesByType("navigation");
    return page.loadEventEnd / 1000;
}"""


def make_pages(folder):
    """Return the pages by name: a small and a large network explained, a run's report, and a study's."""
    run, study = folder / "run", folder / "study.toml"
    study.write_text(STUDY)
    command("train", "digits", "--layers", "64,256,128,10", "--epochs", "8", "--run-dir", run)
    command("report", run)
    command("study", study, "--folder", folder / "study")
    pages = {name: folder / f"explain-{number}.html" for number, name in enumerate(EXPLAINED)}
    command("explain", "3,2,1", "--out", pages[EXPLAINED[0]])
    command("explain", run, "--out", pages[EXPLAINED[1]])
    network = gn.Network([784, 256, 128, 10], seed=0)
    gn.explain(network, np.random.default_rng(0).uniform(size=784), 3).save(pages[EXPLAINED[2]])
    return pages | {
        "report of a run on digits": run / "report.html",
        "report of a study, 24 runs": folder / "study" / "report.html",
    }


EXPLAINED = (
    "explain 3-2-1, live",
    "explain 64-256-128-10, live, with its epochs",
    "explain 784-256-128-10, fixed numbers",
)


def command(*words):
    """Run a command of glassnet; its error is ours."""
    glassnet = [sys.executable, "-m", "glassnet", *map(str, words)]
    subprocess.run(glassnet, check=True, capture_output=True)


def measure(pages, rounds):
    """Return the seconds until each page is loaded, in turn, and the processor seconds of its thread."""
    found = {name: {"seconds": [], "processor_seconds": []} for name in pages}
    system = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=system, args=OPTIONS)
        for _ in range(rounds):
            for name, file in pages.items():
                page = browser.new_page(viewport={"width": 1280, "height": 800})
                session = page.context.new_cdp_session(page)
                session.send("Performance.enable", {"timeDomain": "threadTicks"})
                page.goto(file.as_uri())
                figures = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
                found[name]["seconds"].append(page.evaluate(LOADED))
                found[name]["processor_seconds"].append(figures["TaskDuration"])
                page.close()
        version = browser.version
    return found, version


def main():
    """Read the options, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    load = machine.load()
    with tempfile.TemporaryDirectory() as folder:
        pages = make_pages(Path(folder))
        sizes = {name: file.stat().st_size / 1e3 for name, file in pages.items()}
        found, version = measure(pages, rounds)
    body = [
        [name, number(sizes[name], 0), *(number(statistics.median(times), 2) for times in found[name].values())]
        for name in pages
    ]
    heading = f"Medians of {rounds} loads in Chromium {version}, headless, from a file. Load before: {load}."
    note = "Processor seconds are those of the page's own thread; other work on the machine disturbs them less."
    head = ["page", "kB", "loaded after, s", "processor, s"]
    values = {"load": load, "chromium": version, "kilobytes": sizes, "loads": found}
    write("pages", heading, [table(head, body)], values, [note])


if __name__ == "__main__":
    main()
