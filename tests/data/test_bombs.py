"""Small files that unpack to gigabytes, and networks that no memory holds, are refused before they take any."""

import gzip
import io
import re
import struct
import subprocess
import sys
import zipfile

import numpy as np
import polars as pl
import pytest
from tests.data.bad_files import lines

ROWS, WIDTH = 2_000_000, 1024
ZEROS = bytes(1 << 20)

#: Prints the peak of memory, in kilobytes, of the largest process of a command, and the seconds that it computes.
WATCH = (
    "import resource, subprocess, sys;"
    "done = subprocess.run(sys.argv[1:], capture_output=True, text=True, timeout=300);"
    "used = resource.getrusage(resource.RUSAGE_CHILDREN);"
    "print(done.returncode, used.ru_maxrss, used.ru_utime + used.ru_stime);"
    "print(done.stderr)"
)


def gzipped(head, unit=ZEROS, count=ROWS * WIDTH >> 20):
    """Return gzip data of a beginning and many times the same, about 2 GB."""
    file = io.BytesIO()
    with gzip.GzipFile(fileobj=file, mode="wb") as packed:
        packed.write(head)
        for _ in range(count):
            packed.write(unit)
        packed.write(bytes(ROWS * WIDTH % len(ZEROS)) if unit is ZEROS else b"")
    return file.getvalue()


def npy_head():
    file = io.BytesIO()
    declared = {"descr": "|u1", "fortran_order": False, "shape": (ROWS, WIDTH)}
    np.lib.format.write_array_header_1_0(file, declared)
    return file.getvalue()


def write_idx(folder):
    head = struct.pack(">4B3I", 0, 0, 8, 3, ROWS, 32, 32)
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzipped(head))
    labels = struct.pack(">4BI", 0, 0, 8, 1, ROWS) + bytes(range(10)) * (ROWS // 10)
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels, 1))


def write_npz(folder):
    with zipfile.ZipFile(folder / "d.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("X.npy", "w", force_zip64=True) as file:
            file.write(npy_head())
            for _ in range(ROWS * WIDTH // len(ZEROS)):
                file.write(ZEROS)
            file.write(bytes(ROWS * WIDTH % len(ZEROS)))
        labels = io.BytesIO()
        np.save(labels, np.arange(ROWS) % 10)
        archive.writestr("y.npy", labels.getvalue())


def write_workbook(folder):
    import xlsxwriter

    with xlsxwriter.Workbook(folder / "small.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["a", "b", "kind"])
        sheet.write_row(1, 0, [1, 2, 3])
    row = b"<row><c><v>1</v></c><c><v>2</v></c><c><v>3</v></c></row>" * 1000
    small = zipfile.ZipFile(folder / "small.xlsx")
    with small, zipfile.ZipFile(folder / "t.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in small.namelist():
            before, mark, after = small.read(name).partition(b"</sheetData>")
            with archive.open(name, "w", force_zip64=True) as file:
                file.write(before)
                for _ in range(10_000 if mark else 0):
                    file.write(row)
                file.write(mark + after)


BOMBS = {
    "IDX": (write_idx, "train-images-idx3-ubyte.gz"),
    "NPY": (lambda folder: (folder / "X.npy.gz").write_bytes(gzipped(npy_head())), "X.npy.gz --target y.npy"),
    "NPZ": (write_npz, "d.npz"),
    "text": (
        lambda folder: (folder / "t.csv.gz").write_bytes(gzipped(b"a,b,kind\n", b"1,2,3\n" * 200_000, 1800)),
        "t.csv.gz --target kind",
    ),
    "one value": (
        lambda folder: (folder / "t.csv.gz").write_bytes(gzipped(b"a,b,kind\n1,2,", b"7" * (1 << 20), 2048)),
        "t.csv.gz --target kind",
    ),
    "Parquet": (
        lambda folder: pl.select(a=pl.repeat(1.0, 10**8), kind=1).write_parquet(folder / "t.parquet"),
        "t.parquet --target kind",
    ),
    "workbook": (write_workbook, "t.xlsx --target kind"),
}


def train(folder, options):
    """Return exit code, the peak of memory in MB, seconds, and what is said."""
    command = [sys.executable, "-m", "glassnet", "train", *options.split(), "--epochs", "1", "--quiet"]
    done = subprocess.run([sys.executable, "-c", WATCH, *command], cwd=folder, capture_output=True, text=True)
    code, peak, seconds = done.stdout.splitlines()[0].split()
    return int(code), int(peak) / 1000, float(seconds), "\n".join(done.stdout.splitlines()[1:]).strip()


@pytest.mark.slow
@pytest.mark.parametrize(("write", "options"), BOMBS.values(), ids=BOMBS)
def test_bombs_cost_neither_time_nor_memory(tmp_path, write, options):
    (tmp_path / "good.csv").write_bytes(lines())
    _, usual, usually, _ = train(tmp_path, "good.csv --target kind --kernels numpy --no-report")
    write(tmp_path)
    np.save(tmp_path / "y.npy", np.arange(10))
    code, peak, seconds, said = train(tmp_path, options)
    assert code == 1
    assert re.fullmatch(rf"glassnet: {re.escape(options.split()[0])}: .*(unpacks from|longer than the).*", said)
    assert peak < usual + 300
    assert seconds < usually + 5
    assert not (tmp_path / "runs").is_dir() or len(list((tmp_path / "runs").iterdir())) == 1
