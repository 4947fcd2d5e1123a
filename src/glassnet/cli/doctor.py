"""``glassnet doctor``."""

from __future__ import annotations

from glassnet.cli.output import DataDirOption, JsonOption, print_facts, print_json


def doctor(data_dir: DataDirOption = None, as_json: JsonOption = False) -> None:
    """Look at this machine, and say what costs speed.

    It shows the processor, the BLAS, the data at hand and the versions.

    \b
    Examples:
      glassnet doctor
      glassnet doctor --json
    """
    from glassnet.data.registry import find_folders
    from glassnet.runtime.machine import machine_report

    report = machine_report()
    data = find_folders(data_dir)
    if as_json:
        print_json(report | {"data": data})
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
        *((name, value) for name, value in report["variables"].items()),
        *((f"data: {name}", place) for name, place in data.items() if place and place != "in scikit-learn"),
        ("data: others", "glassnet data list"),
        ("versions", ", ".join(f"{name} {report[name]}" for name in ("glassnet", "python", "numpy"))),
        *(("advice", sentence) for sentence in report["advice"] or ["none: nothing here costs speed"]),
    ]
    print_facts(facts)
