"""``glassnet doctor``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from glassnet.cli.output import DataDirOption, JsonOption, QuietOption, print_facts, print_json, say
from glassnet.errors import UsageError


def doctor(
    data_dir: DataDirOption = None,
    prepare: Annotated[
        bool,
        typer.Option(
            "--prepare", help="Compile now what trainings and predictions compile, so that none waits for it."
        ),
    ] = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Look at this machine, and say what costs speed.

    It shows the processor, the BLAS, the data at hand and the versions.

    \b
    Examples:
      glassnet doctor
      glassnet doctor --json
      glassnet doctor --prepare
    """
    if prepare:
        if data_dir is not None:
            raise UsageError("data_dir", "names data, and --prepare reads none; leave one of the two out")
        return _prepare(quiet=quiet, as_json=as_json)
    from glassnet.data.registry import find_folders
    from glassnet.data.unpacked import count_unpacked, unpacked_folder
    from glassnet.runtime.machine import machine_report

    report = machine_report()
    data = find_folders(data_dir)
    unpacked = {"folder": str(unpacked_folder()), "bytes": count_unpacked()}
    if as_json:
        print_json(report | {"data": data, "unpacked_data": unpacked})
        return
    rates = ", ".join(f"{rate:.0f} with {threads}" for threads, rate in report["gemm_gflops"].items())
    load = "" if report["load"] is None else f", load {report['load']}"
    facts = [
        ("processor", report["processor"]),
        ("cores", f"{report['cores']}{load}"),
        *(
            (one["name"], f"{one['version']}, kernel {one['kernel']}, {one['threads']} threads, {one['path']}")
            for one in report["blas_libraries"]
        ),
        ("products", f"{rates} threads, GFLOP/s in float32"),
        ("kernels", f"numba {report['numba']}" if report["compiled_steps"] else "numpy"),
        ("compiled code", report["compiled_code"]),
        ("unpacked data", _describe_size(unpacked)),
        *((name, value) for name, value in report["variables"].items()),
        *((f"data: {name}", place) for name, place in data.items() if place and place != "in scikit-learn"),
        ("data: others", "glassnet data list"),
        ("versions", ", ".join(f"{name} {report[name]}" for name in ("glassnet", "python", "numpy"))),
        *(("advice", sentence) for sentence in report["advice"] or ["none: nothing here costs speed"]),
    ]
    print_facts(facts)


def _prepare(*, quiet: bool, as_json: bool) -> None:
    """Compile ahead of need, and say what was done."""
    from glassnet.runtime.compilation import cache_folder
    from glassnet.training.preparation import prepare

    done = prepare(None if quiet else say)
    kept = {"folder": str(cache_folder()), "bytes": done.bytes}
    if as_json:
        print_json(asdict(done) | {"compiled_code": kept["folder"]})
        return
    print_facts(
        [
            ("compiled", f"{done.compiled} functions in {done.seconds:.1f} s; {done.there} were there"),
            ("compiled code", _describe_size(kept)),
        ]
    )


def _describe_size(place: dict[str, Any]) -> str:
    return f"{place['folder']}, {place['bytes'] / 1e6:.1f} MB"
