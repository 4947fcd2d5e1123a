"""Run the whole suite, one script after the other; `make bench` does.

python benchmarks/run.py
"""

import subprocess
import sys
import time
from pathlib import Path

SCRIPTS = [
    ["epoch.py"],
    ["epoch.py", "--busy"],
    ["inference.py"],
    ["startup.py"],
    ["pages.py"],
    ["practice.py"],
    ["health.py"],
    ["small_fits.py"],
    ["fit_many.py"],
    ["estimators.py"],
    ["study.py"],
    ["recipe.py"],
]


def main():
    """Run every script, the later ones too where one fails; return the number that failed."""
    failed = 0
    for name, *options in SCRIPTS:
        began = time.monotonic()
        done = subprocess.run([sys.executable, str(Path(__file__).with_name(name)), *options])
        print(f"{name}: {time.monotonic() - began:.0f} s, exit status {done.returncode}\n", flush=True)
        failed += done.returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
