"""Compiling source text with Numba, once: the machine code is kept in the user's cache folder."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
import linecache
import platform
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from platformdirs import user_cache_path

from glassnet.errors import FileError
from glassnet.runtime.files import write_bytes

#: Division by a constant may become a product, product and sum one operation; NaN and infinity stay themselves.
FAST_MATH = {"arcp", "nsz", "contract"}
OPTIONS: dict[str, Any] = {"fastmath": FAST_MATH, "error_model": "numpy"}

X86 = platform.machine().lower() in ("x86_64", "amd64")

#: Flush-to-zero and denormals-are-zero, in the control word of the x86 vector unit.
FLUSH = 0x8040


#: Who is to be told that a compiler is waited for; None: nobody, or it was told.
_told: ContextVar[Callable[[], None] | None] = ContextVar("told", default=None)


@contextlib.contextmanager
def announcing(tell: Callable[[], None] | None) -> Iterator[None]:
    """Call a function, once, when something is compiled that was not on the disk, as long as the context lasts."""
    token = _told.set(tell)
    try:
        yield
    finally:
        _told.reset(token)


def _announce() -> None:
    """Tell whoever waits that something is being compiled."""
    if (tell := _told.get()) is not None:
        _told.set(None)
        tell()


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

    module, cached = _make_module(source, name)
    compiled: Any = njit(nogil=True, **OPTIONS)(getattr(module, name))
    setattr(module, name, compiled)
    _cache_on_disk(compiled, compiled.py_func, cached=cached)
    return compiled


@functools.cache
def compile_pointer(source: str, name: str, arguments: tuple[str, ...]) -> int:
    """Compile the functions of a source text, and return the address of the one of that name, as one of C.

    It returns nothing. `arguments` are the types of its arguments in Numba's words; a star after one stands for
    an address, for example ``("intp", "float32*")``. The code is kept as that of `compile_function`.
    """
    from numba import types
    from numba.core.ccallback import CFunc

    def kind(word: str) -> Any:
        plain = getattr(types, word.rstrip("*"))
        return types.CPointer(plain) if word.endswith("*") else plain

    module, cached = _make_module(source, name)
    signature = tuple(map(kind, arguments)), types.void
    function: Any = CFunc(getattr(module, name), signature, locals={}, options=dict(OPTIONS))
    setattr(module, name, function)  # it must live as long as its address is in use
    _cache_on_disk(function, function._pyfunc, cached=cached)
    function.compile()
    return int(function.address)


def _make_module(source: str, name: str) -> tuple[ModuleType, bool]:
    """Run a source text as a module, all but the named function ready to be compiled; say if it is on the disk."""
    import numba

    njit: Any = numba.njit  # whose types know fewer options than it does

    digest = hashlib.sha256(f"{name} of {source}".encode() + Path(__file__).read_bytes())  # with what compiles it
    module = ModuleType(f"glassnet_{digest.hexdigest()[:16]}")
    path = cache_folder() / f"{module.__name__}.py"
    cached = _write_once(path, source)
    if not cached:
        linecache.cache[str(path)] = (len(source), None, source.splitlines(keepends=True), str(path))
    sys.modules[module.__name__] = module
    module.__dict__.update(machine_functions(), carray=numba.carray)  # type: ignore[attr-defined]
    exec(compile(source, str(path), "exec"), module.__dict__)
    for key, value in list(module.__dict__.items()):
        if isinstance(value, FunctionType) and value.__module__ == module.__name__ and key != name:
            setattr(
                module, key, njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, nogil=True, **OPTIONS)(value)
            )
    return module, cached


def _cache_on_disk(compiled: Any, function: FunctionType, *, cached: bool) -> None:
    """Give a function Numba's cache on disk, one that does without what is damaged or cannot be written."""
    if not cached:
        return _announce()
    from numba.core.caching import FunctionCache

    class Cache(FunctionCache):
        def load_overload(self, signature: Any, target: Any) -> Any:
            found = None
            try:
                found = super().load_overload(signature, target)
            except Exception:  # whatever a damaged file brings; it is compiled and written anew
                with contextlib.suppress(OSError):
                    self.flush()
            if found is None:
                _announce()
            return found

        def save_overload(self, signature: Any, data: Any) -> None:
            with contextlib.suppress(OSError):
                super().save_overload(signature, data)

    try:
        compiled._cache = Cache(function)
    except RuntimeError:  # no folder to write to
        _announce()


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


#: What `machine_functions` gives.
MACHINE_FUNCTIONS = (
    "call_address",
    "fence",
    "sleep_microseconds",
    "prefetch",
    "refer",
    "flush_denormals",
    "restore_denormals",
)


@functools.cache
def _reference_type() -> Any:
    """Return Numba's type of what ``refer`` gives: a named tuple by its address, whose members are read alone.

    Handed on as it is, a tuple of many arrays is taken apart and put together at each call, in the compiler more
    than in the code that it makes.
    """
    from llvmlite import ir
    from numba import types
    from numba.core import imputils
    from numba.core.datamodel import models, registry
    from numba.core.typing.templates import AttributeTemplate
    from numba.extending import infer_getattr, lower_getattr_generic

    class Reference(types.Type):
        def __init__(self, record: Any) -> None:
            self.record = record
            super().__init__(f"Reference({record})")

    @infer_getattr
    class Members(AttributeTemplate):
        key = Reference

        def generic_resolve(self, value: Any, attr: str) -> Any:  # type: ignore[override]
            record = value.record
            return record.types[record.fields.index(attr)] if attr in record.fields else None

    @lower_getattr_generic(Reference)  # type: ignore[untyped-decorator]
    def member(context: Any, builder: Any, reference: Any, value: Any, name: str) -> Any:
        place, kind = reference.record.fields.index(name), reference.record
        whole = ir.IntType(32)
        inner = builder.gep(value, [whole(0), whole(place)], source_etype=context.get_value_type(kind))
        found = builder.load(inner, typ=context.get_value_type(kind.types[place]))
        return imputils.impl_ret_borrowed(context, builder, kind.types[place], found)

    @registry.register_default(Reference)
    class Model(models.PrimitiveModel):
        def __init__(self, manager: Any, kind: Any) -> None:
            super().__init__(manager, kind, manager.lookup(kind.record).get_value_type().as_pointer())

    return Reference


@functools.cache
def machine_functions() -> dict[str, Callable[..., Any]]:
    """Return functions that compiled code can call and Python has no words for.

    ``call_address(place, arguments)`` calls the C function at an address with the members of a tuple, and returns
    nothing. ``fence()`` makes what was written before it visible to other threads. ``sleep_microseconds(n)`` lets
    another thread have the core. ``prefetch(address)`` asks for a cache line that will be read soon.
    ``refer(record)`` returns a named tuple by its address, as long as the function runs that asks for it.
    ``flush_denormals()`` has this thread take numbers too small to be normal for 0, which on Intel's processors
    are a hundred times slower than others, and returns what ``restore_denormals(state)`` takes.
    """
    from llvmlite import ir
    from numba import types
    from numba.core import cgutils
    from numba.extending import intrinsic

    reference = _reference_type()

    def control(builder: Any, name: str, place: Any) -> None:
        kind = ir.FunctionType(ir.VoidType(), [ir.PointerType()])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.x86.sse.{name}"), [place])

    @intrinsic
    def call_address(typing: Any, place: Any, arguments: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
            values = cgutils.unpack_tuple(builder, given[1])
            function = ir.FunctionType(ir.VoidType(), [value.type for value in values])
            builder.call(builder.inttoptr(given[0], function.as_pointer()), values)
            return context.get_dummy_value()

        return types.void(types.intp, types.unliteral(arguments)), code

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

    @intrinsic
    def refer(typing: Any, record: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return cgutils.alloca_once_value(builder, arguments[0])

        return reference(record)(record), code

    sleep_microseconds = types.ExternalFunction("usleep", types.int32(types.uint32))
    functions = (call_address, fence, sleep_microseconds, prefetch, refer, flush_denormals, restore_denormals)
    return dict(zip(MACHINE_FUNCTIONS, functions, strict=True))
