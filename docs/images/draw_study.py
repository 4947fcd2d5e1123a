"""Draws the picture of a study in README.md: ``python docs/images/draw_study.py``, with Fashion-MNIST at hand.

It needs Playwright and Chromium, and runs examples/optimizers.toml.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from glassnet import load_study, run_study
from glassnet.report.study_page import write_study_report
from glassnet.study.fairness import DataCache
from glassnet.study.final_evaluation import evaluate_recommended
from glassnet.study.findings import gather_findings

HERE = Path(__file__).parent

#: A laptop's window, and the sections of the page that are shown, one below the other.
WIDTH, SECTIONS = 1280, ("#verdict", "#results", "#curves")


def sections(page: Path) -> Image.Image:
    """Return the sections of the page as one picture."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        window = browser.new_page(viewport={"width": WIDTH, "height": 1200})
        window.goto(page.as_uri())
        parts = [Image.open(io.BytesIO(window.locator(name).screenshot())) for name in SECTIONS]
        browser.close()
    sheet = Image.new("RGB", (max(part.width for part in parts), sum(part.height for part in parts)), "white")
    top = 0
    for part in parts:
        sheet.paste(part, (0, top))
        top += part.height
    return sheet


def main() -> None:
    """Run the study, report, take the picture."""
    study, load = load_study(HERE.parent.parent / "examples" / "optimizers.toml"), DataCache().load
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / study.file_name
        rows = run_study(study, folder)
        found = gather_findings(study, folder, rows, load)
        evaluate_recommended(found, load)
        picture = sections(write_study_report(found, load))
    few = picture.quantize(200, dither=Image.Dither.NONE)
    few.save(HERE / "study.png", optimize=True)


if __name__ == "__main__":
    main()
