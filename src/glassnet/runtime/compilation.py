"""Compiling source text with Numba, once: the machine code is kept in the user's cache folder."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
import linecache
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from platformdirs import user_cache_path

from glassnet.errors import FileError
from glassnet.runtime.files import write_bytes

#: Division by a constant may become a product, product and sum one operation; NaN and infinity stay themselves.
FAST_MATH = {"arcp", "nsz", "contract"}

X86 = platform.machine().lower() in ("x86_64", "amd64")

#: Flush-to-zero and denormals-are-zero, in the control word of the x86 vector unit.
FLUSH = 0x8040


def numba_version() -> str | None:
    """Return the version of Numba, None where it is not installed or cannot be used."""
    if importlib.util.find_spec("numba") is None:
        return None
    try:
        import numba
    except ImportError:  # installed for another NumPy
        return None
    return str(numba.__version__)


def cache_folder() -> Path:
    """Return the folder of compiled code."""
    return user_cache_path("glassnet") / "compiled"


@functools.cache
def compile_function(source: str, name: str) -> Callable[..., Any]:
    """Compile the functions of a source text, and return the one of that name.

    It is compiled when first called, and from then on loaded from `cache_folder`. Where that cannot be written, it
    is compiled in every process. It releases the interpreter while it runs. The other functions are compiled as
    parts of it. They may call `machine_functions`.
    """
    from numba import njit

    digest = hashlib.sha256(source.encode() + Path(__file__).read_bytes())  # what it is compiled with, too
    module = ModuleType(f"glassnet_{digest.hexdigest()[:16]}")
    path = cache_folder() / f"{module.__name__}.py"
    cached = _write_once(path, source)
    if not cached:
        linecache.cache[str(path)] = (len(source), None, source.splitlines(keepends=True), str(path))
    sys.modules[module.__name__] = module
    module.__dict__.update(machine_functions())
    exec(compile(source, str(path), "exec"), module.__dict__)
    for key, value in list(module.__dict__.items()):
        if isinstance(value, FunctionType) and value.__module__ == module.__name__:
            inner = key != name
            jit = njit(  # type: ignore[call-overload]
                fastmath=FAST_MATH,
                error_model="numpy",
                nogil=True,
                no_cpython_wrapper=inner,
                no_cfunc_wrapper=inner,
            )
            setattr(module, key, jit(value))
    compiled: Any = getattr(module, name)
    if cached:
        _cache_on_disk(compiled)
    return compiled


def _cache_on_disk(compiled: Any) -> None:
    """Give a function Numba's cache on disk, one that does without what is damaged or cannot be written."""
    from numba.core.caching import FunctionCache

    class Cache(FunctionCache):
        def load_overload(self, signature: Any, target: Any) -> Any:
            try:
                return super().load_overload(signature, target)
            except Exception:  # whatever a damaged file brings; it is compiled and written anew
                with contextlib.suppress(OSError):
                    self.flush()
                return None

        def save_overload(self, signature: Any, data: Any) -> None:
            with contextlib.suppress(OSError):
                super().save_overload(signature, data)

    with contextlib.suppress(RuntimeError):  # no folder to write to
        compiled._cache = Cache(compiled.py_func)


def _write_once(path: Path, source: str) -> bool:
    """Write the source where it is not yet; Numba holds its code valid as long as the file is the same."""
    try:
        if path.read_text(encoding="utf-8") == source:
            return True
    except (OSError, ValueError):
        pass
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, source.encode())
        return True
    except (OSError, FileError):
        return False


def foreign_function(address: int, arguments: str) -> Any:
    """Return the C function at an address, without a result, that compiled code can be handed and call.

    `arguments` are the types of its arguments in Numba's words, for example ``"int32 float32 intp"``.
    """
    from numba import types
    from numba.experimental import function_type  # noqa: F401  (teaches Numba the type of such objects)

    class ForeignFunction(types.WrapperAddressProtocol):
        def __wrapper_address__(self) -> int:
            return address

        def signature(self) -> Any:
            return types.void(*(getattr(types, argument) for argument in arguments.split()))

    return ForeignFunction()


#: What `machine_functions` gives.
MACHINE_FUNCTIONS = ("fence", "sleep_microseconds", "prefetch", "flush_denormals", "restore_denormals")


@functools.cache
def machine_functions() -> dict[str, Callable[..., Any]]:
    """Return functions that compiled code can call and Python has no words for.

    ``fence()`` makes what was written before it visible to other threads. ``sleep_microseconds(n)`` lets another
    thread have the core. ``prefetch(address)`` asks for a cache line that will be read soon. ``flush_denormals()``
    has this thread take numbers too small to be normal for 0, which on Intel's processors are a hundred times
    slower than others, and returns what ``restore_denormals(state)`` takes.
    """
    from llvmlite import ir
    from numba import types
    from numba.core import cgutils
    from numba.extending import intrinsic

    def control(builder: Any, name: str, place: Any) -> None:
        kind = ir.FunctionType(ir.VoidType(), [ir.PointerType()])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.x86.sse.{name}"), [place])

    @intrinsic
    def fence(typing: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            builder.fence("seq_cst")
            return context.get_dummy_value()

        return types.void(), code

    @intrinsic
    def prefetch(typing: Any, address: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            whole = ir.IntType(32)
            kind = ir.FunctionType(ir.VoidType(), [ir.PointerType(), whole, whole, whole])
            function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
            place = builder.inttoptr(arguments[0], ir.PointerType())
            builder.call(function, [place, whole(0), whole(3), whole(1)])  # to read, to keep, data
            return context.get_dummy_value()

        return types.void(types.intp), code

    @intrinsic
    def flush_denormals(typing: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            if not X86:
                return ir.Constant(ir.IntType(32), 0)
            place = cgutils.alloca_once(builder, ir.IntType(32))
            control(builder, "stmxcsr", place)
            before = builder.load(place)
            builder.store(builder.or_(before, ir.Constant(ir.IntType(32), FLUSH)), place)
            control(builder, "ldmxcsr", place)
            return before

        return types.uint32(), code

    @intrinsic
    def restore_denormals(typing: Any, state: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            if X86:
                control(builder, "ldmxcsr", cgutils.alloca_once_value(builder, arguments[0]))
            return context.get_dummy_value()

        return types.void(types.uint32), code

    sleep_microseconds = types.ExternalFunction("usleep", types.int32(types.uint32))
    functions = (fence, sleep_microseconds, prefetch, flush_denormals, restore_denormals)
    return dict(zip(MACHINE_FUNCTIONS, functions, strict=True))
