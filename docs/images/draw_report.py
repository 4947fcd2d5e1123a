"""Draws the picture of a report in README.md: ``python docs/images/draw_report.py``, with Fashion-MNIST at hand.

It needs Playwright and Chromium, and trains for ten epochs.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from glassnet import Network, fit, load_dataset
from glassnet.report.run_page import write_run_report

HERE = Path(__file__).parent

#: A laptop's window, and the part of the page that the picture ends with.
WIDTH, LAST = 1280, "#curves .charts"


def screenshot(page: Path) -> bytes:
    """Return the page from its top to the end of its curves, as a PNG."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        window = browser.new_page(viewport={"width": WIDTH, "height": 1200})
        window.goto(page.as_uri())
        plot = window.locator("[data-chart=loss] .plot")
        plot.hover(position={"x": 330, "y": 80})  # the numbers of an epoch
        end = window.locator(LAST).bounding_box()
        assert end is not None
        picture = window.screenshot(clip={"x": 0, "y": 0, "width": WIDTH, "height": end["y"] + end["height"] + 12})
        browser.close()
    return picture


def main() -> None:
    """Train, report, take the picture."""
    data, network = load_dataset("fashion-mnist"), Network([784, 256, 128, 10], seed=0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "run"
        fit(network, data, epochs=10, run_dir=folder)
        picture = Image.open(io.BytesIO(screenshot(write_run_report(folder, network, data))))
    few = picture.convert("RGB").quantize(200, dither=Image.Dither.NONE)
    few.save(HERE / "report.png", optimize=True)


if __name__ == "__main__":
    main()
