"""Names that the compiled functions use, and that `glassnet.compiled.formulas` gives values in each program.

They are imported from here for the linter and the type checker alone. Their values depend on the dtype, the
BLAS and the formulas: ``real`` is the dtype computed in, ``whole`` the integer of its size and ``integer``
that of the BLAS; ``activate``, ``slope``, ``output_row`` and ``update`` are loops written from formulas.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    raise AttributeError(f"{name} has a value in a program only")
