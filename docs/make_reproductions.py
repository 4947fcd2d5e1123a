"""Make docs/reproductions/NAME.md, the page of a published table, by repeating the table.

python docs/make_reproductions.py [NAME ...]        (about an hour for all; finished runs are not repeated)
"""

import re
import sys
from pathlib import Path

from glassnet.cli.main import main
from glassnet.reproductions.publication import publication_names

PAGES = Path(__file__).with_name("reproductions")


def without_links(text: str) -> str:
    """Return a report in Markdown without the line that leads to files of its folder, which docs do not have."""
    return re.sub(r"^.*\]\(\w+/report\.html\).*\n", "", text, flags=re.MULTILINE)


if __name__ == "__main__":
    for name in sys.argv[1:] or publication_names():
        folder = Path("reproductions") / name
        if main(["reproduce", name, "--folder", str(folder)]) != 0:
            sys.exit(f"{name}: not all runs were done; docs/reproductions/{name}.md is as it was")
        text = (folder / "report.md").read_text(encoding="utf-8")
        (PAGES / f"{name}.md").write_text(without_links(text), encoding="utf-8")
