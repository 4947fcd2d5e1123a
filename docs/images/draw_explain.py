"""Draws the picture of the page of backpropagation in README.md: ``python docs/images/draw_explain.py``.

It needs Playwright and Chromium.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from glassnet.cli.main import main as run_command

HERE = Path(__file__).parent

#: A laptop's window, and the step that is shown: a multiplier in the middle of the backward pass, after training.
WINDOW, STEP, TAKEN = {"width": 1280, "height": 790}, 25, 8


def screenshot(page: Path) -> bytes:
    """Return the page at its step, as a PNG."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        window = browser.new_page(viewport=WINDOW)
        window.goto(page.as_uri())
        for _ in range(TAKEN):
            window.click("#take")
        for _ in range(STEP - 1):
            window.keyboard.press("ArrowRight")
        window.locator("[data-node].active:visible").first.click()  # its local derivatives
        picture = window.screenshot()
        browser.close()
    return picture


def main() -> None:
    """Explain a network that is small enough to be drawn whole, take the picture."""
    with tempfile.TemporaryDirectory() as name:
        page = Path(name) / "explain.html"
        run_command(["explain", "3,2,1", "--out", str(page)])
        picture = Image.open(io.BytesIO(screenshot(page)))
    few = picture.convert("RGB").quantize(200, dither=Image.Dither.NONE)
    few.save(HERE / "explain.png", optimize=True)


if __name__ == "__main__":
    main()
