"""Names that the compiled functions use, and that `glassnet.compiled.sources` gives values in each text.

They are imported from here for the linter and the type checker alone. Their values depend on the dtype:
``real`` is the one computed in, ``whole`` the integer of its size.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    raise AttributeError(f"{name} has a value in a program only")
