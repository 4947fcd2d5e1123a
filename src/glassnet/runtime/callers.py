"""Warnings that point at the user's own line, however deep in the package they are given."""

from __future__ import annotations

import contextlib
import os.path
import sys
import warnings

from glassnet.runtime.terminal import escape

#: Files whose frames are not the user's: the package, and what runs the ends of its ``with`` blocks.
OWN_FILES = (os.path.dirname(os.path.dirname(__file__)) + os.sep, contextlib.__file__)


def warn_caller(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line that called into the package."""
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(OWN_FILES):
        frame, level = frame.f_back, level + 1
    warnings.warn(escape(message), category, stacklevel=level)
