"""``glassnet cluster``."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from glassnet.cli.output import help_without_command, say
from glassnet.runtime.terminal import print_lines

cluster_app = typer.Typer(help="Have the runs of studies and searches done by the workers of a cluster (Dask).")


@cluster_app.callback(invoke_without_command=True)
def cluster(context: typer.Context) -> None:
    """Have the runs of studies and searches done by the workers of a cluster (Dask)."""
    help_without_command(context)


@cluster_app.command()
def local(
    workers: Annotated[
        int | None, typer.Option(help="Worker processes.", metavar="N", min=1, show_default="one a core")
    ] = None,
) -> None:
    """Start a scheduler and workers on this machine, and print the address for --cluster.

    It goes on until Ctrl-C. Only this machine can reach it: to try how a cluster does, before there is one.

    \b
    Examples:
      glassnet cluster local
      glassnet cluster local --workers 4
    """
    from glassnet.runtime.interrupts import GracefulInterrupts
    from glassnet.study.local_cluster import local_cluster

    with GracefulInterrupts() as interrupts, local_cluster(workers) as address:
        print_lines(address)
        say(f"give it runs with: glassnet study FILE --cluster {address}, or search; Ctrl-C ends it")
        while interrupts.signal is None:
            time.sleep(0.1)
