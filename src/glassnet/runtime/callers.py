"""Warnings that point at the user's own line, however deep in the package they are given."""

from __future__ import annotations

import contextlib
import os.path
import re
import sys
import warnings

from glassnet.runtime.terminal import escape

#: Files whose frames are not the user's: the package, and what runs the ends of its ``with`` blocks.
OWN_FILES = (os.path.dirname(os.path.dirname(__file__)) + os.sep, contextlib.__file__)

#: Endings of files whose frames stand between the user and the package: scikit-learn's, around its estimators.
WRAPPERS = tuple(os.path.join("sklearn", *name) for name in (("callback", "_callback_support.py"), ("base.py",)))


#: Names of files that stand for the cells of a notebook.
CELL = re.compile(r"ipykernel_\d+|^<ipython-input")


def warn_caller(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line that called into the package; in a notebook without that line, which stands just above."""
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and _is_between(frame.f_code.co_filename):
        frame, level = frame.f_back, level + 1
    if CELL.search(frame.f_code.co_filename):
        registry = frame.f_globals.setdefault("__warningregistry__", {})
        warnings.warn_explicit(escape(message), category, "cell", frame.f_lineno, "__main__", registry)
    else:
        warnings.warn(escape(message), category, stacklevel=level)


def _is_between(file: str) -> bool:
    """Whether a frame of a file is not the user's."""
    return file.startswith(OWN_FILES) or file.endswith(WRAPPERS)
