"""Names that the compiled functions use and `glassnet.compiled.formulas` puts into the text of each program.

They are declared here for the linter and the type checker. The values depend on the dtype, the BLAS and the
formulas, so there is nothing to import when the program runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: The dtype computed in, the integer of its size, and the integer of the BLAS.
real: Any
whole: Any
integer: Any

ZERO: Any
HALF: Any
ONE: Any
TWO: Any
infinity: Any
nan: Any

#: Numbers of IEEE 754 and of the series for exp and log, see `glassnet.compiled.elementary`.
TERMS: int
LOG_TERMS: int
SHIFT: Any
BIAS: Any
MANTISSA: Any
LOG2_E: Any
ROOT_2: Any
LOG_2_HIGH: Any
LOG_2_LOW: Any
SMALLEST: Any
LARGEST: Any
TINY: Any

#: Rows to ask for ahead, bytes of a cache line, looks at a flag before the core is given to another thread.
AHEAD: int
LINE: int
TURNS: int

#: Of batch normalisation.
EPSILON: Any
MOMENTUM: Any

#: CBLAS: the order of a matrix in memory, and whether it is multiplied transposed.
ROW_MAJOR: Any
AS_IT_IS: Any
TURNED: Any

address: Callable[[Any], Any]

#: From `glassnet.runtime.compilation.machine_functions`.
fence: Callable[[], Any]
give_way: Callable[[Any], Any]
prefetch: Callable[[Any], Any]
flush_small_numbers: Callable[[], Any]
restore_small_numbers: Callable[[Any], Any]

#: Written by `glassnet.compiled.loops` from the formulas of a network and its optimizer.
activate: Callable[[Any, Any, Any, Any, Any, Any], Any]
slope: Callable[[Any, Any, Any, Any, Any, Any, Any], Any]
output_row: Callable[[Any, Any, Any, Any, Any, Any, Any, Any, Any], Any]
update: Callable[[Any, Any, Any, Any, Any, Any], Any]
