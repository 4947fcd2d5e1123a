"""The command ``glassnet`` as a process: what holds from its first moment, before its parts are loaded."""

import sys

from glassnet.runtime.interrupts import SignalReceived, exit_code, raising_signals, received_signal
from glassnet.runtime.limits import explain_limit, find_low_limit
from glassnet.runtime.streams import secure_streams
from glassnet.runtime.terminal import tell


def main() -> int:
    """Run the command line on this process's arguments, and return its exit code."""
    out = secure_streams()
    if (problem := find_low_limit()) is not None:
        tell(problem)
        return 1
    with raising_signals():
        try:
            from glassnet.cli.main import main as run

            code = run()
        except BaseException as error:  # an import that a signal interrupts may raise an error of its own
            number = received_signal()
            stop = error if number is None else SignalReceived(number)
            code = exit_code(stop) if isinstance(stop, SignalReceived) else 1
            problem = explain_limit(stop) or (str(stop) if isinstance(stop, KeyboardInterrupt) else None)
            if problem is None:
                raise
            tell(problem)
            return code
        out.flush()
        if out.failure is not None:
            tell(f"standard output: {out.failure.strerror}")
        return code or int(out.failure is not None)


if __name__ == "__main__":
    sys.exit(main())
