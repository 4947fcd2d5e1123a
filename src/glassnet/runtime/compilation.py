"""Compiling source text with Numba, once: the machine code is kept in the user's cache folder."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
import linecache
import sys
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from platformdirs import user_cache_path

from glassnet.errors import FileError
from glassnet.runtime import intrinsics
from glassnet.runtime.files import lock_file, write_bytes

#: Each operation is rounded as it stands in the text, none is moved, and a product and a sum become one where the
#: text says `fma`: so the bits of a result are the same on every processor.
OPTIONS: dict[str, Any] = {"fastmath": False, "error_model": "numpy"}

#: Without Numba's own memory no array can be allocated, and none that is handed on has its users counted, which
#: takes long to compile.
NO_MEMORY: dict[str, Any] = {"_nrt": False}

#: What nobody calls but compiled code.
PART: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "nogil": True}

#: Who is to be told that a compiler is waited for; None: nobody, or it was told.
_told: ContextVar[Callable[[], None] | None] = ContextVar("told", default=None)

#: The file that is held while its text is compiled, within `compiling_alone`; None: nobody asked for that.
_held: ContextVar[contextlib.ExitStack | None] = ContextVar("held", default=None)

#: Threads of a process take turns as well: one that waits for a file holds Numba's own lock.
_LINKING = threading.RLock()

#: Seconds that a process waits for one that compiles.
MOST_WAIT = 120.0


@contextlib.contextmanager
def announcing(tell: Callable[[], None] | None) -> Iterator[None]:
    """Call a function, once, when something is compiled that was not on the disk, as long as the context lasts."""
    token = _told.set(tell)
    try:
        yield
    finally:
        _told.reset(token)


@contextlib.contextmanager
def compiling_alone() -> Iterator[None]:
    """Compile nothing, as long as the context lasts, that another process is compiling: wait for it, and load it.

    Who compiles a function holds its source in `cache_folder`. So processes that begin together, as a study's do,
    compile each function once. Who waits too long goes on alone.
    """
    with _LINKING, contextlib.ExitStack() as held:
        token = _held.set(held)
        try:
            yield
        finally:
            _held.reset(token)


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


def vector_bytes() -> int:
    """Return the length of the vectors that code is compiled for; 0 where there are no fused multiply-adds."""
    from numba.core.registry import cpu_target

    triple, _, features = cpu_target.target_context.codegen().magic_tuple()
    known = features.split(",")
    if triple.startswith(("aarch64", "arm64")):
        return 16
    return 64 if "+avx512f" in known else 32 if "+fma" in known else 0


def cache_folder() -> Path:
    """Return the folder of compiled code."""
    return user_cache_path("glassnet") / "compiled"


def measure_cache() -> tuple[int, int]:
    """Return how many functions `cache_folder` holds, and their bytes."""
    sizes: list[int] = []
    with contextlib.suppress(OSError):  # what cannot be read holds nothing
        sizes.extend(file.stat().st_size for file in cache_folder().rglob("*.nbc"))
    return len(sizes), sum(sizes)


@functools.cache
def _own_text() -> bytes:
    """Return the text of what compiles: other text, other code."""
    return b"".join(Path(file).read_bytes() for file in (__file__, intrinsics.__file__))


@functools.cache
def compile_function(source: str, name: str, *, allocates: bool = False) -> Callable[..., Any]:
    """Compile the functions of a source text, and return the one of that name.

    It is compiled when first called, and from then on loaded from `cache_folder`. Where that cannot be written, it
    is compiled in every process. It releases the interpreter while it runs. The other functions are compiled as
    parts of it. They may call `machine_functions`; arrays they make where it says that it ``allocates``.
    """
    from numba import njit

    options = OPTIONS if allocates else OPTIONS | NO_MEMORY
    module, cached = _make_module(source, name, options)
    compiled: Any = njit(nogil=True, **options)(getattr(module, name))
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

    options = OPTIONS | NO_MEMORY
    module, cached = _make_module(source, name, options)
    signature = tuple(map(kind, arguments)), types.void
    function: Any = CFunc(getattr(module, name), signature, locals={}, options=options)
    setattr(module, name, function)  # it must live as long as its address is in use
    _cache_on_disk(function, function._pyfunc, cached=cached)
    function.compile()
    return int(function.address)


def _make_module(source: str, name: str, options: dict[str, Any]) -> tuple[ModuleType, bool]:
    """Run a source text as a module, all but the named function ready to be compiled; say if it is on the disk."""
    import numba

    njit: Any = numba.njit  # whose types know fewer options than it does

    digest = hashlib.sha256(f"{name} of {source} {options}".encode() + _own_text())
    module = ModuleType(f"glassnet_{digest.hexdigest()[:16]}")
    path = cache_folder() / f"{module.__name__}.py"
    cached = _write_once(path, source)
    if not cached:
        linecache.cache[str(path)] = (len(source), None, source.splitlines(keepends=True), str(path))
    sys.modules[module.__name__] = module
    module.__dict__.update(intrinsics.machine_functions())
    exec(compile(source, str(path), "exec"), module.__dict__)
    for key, value in list(module.__dict__.items()):
        if isinstance(value, FunctionType) and value.__module__ == module.__name__ and key != name:
            setattr(module, key, njit(**options, **PART, pipeline_class=_part_compiler())(value))
    return module, cached


@functools.cache
def _part_compiler() -> Any:
    """Return Numba's compiler for functions that are parts of another one.

    Numba optimises each function and makes machine code of it, and again as a part of whatever calls it. Here a
    part is only put into what calls it, so this is done once, for all together.
    """
    from numba.core.codegen import JITCodeLibrary
    from numba.core.compiler import Compiler

    class Part(JITCodeLibrary):
        def _optimize_functions(self, ll_module: Any) -> None:
            ll_module.data_layout = self._codegen._data_layout

        def _optimize_final_module(self) -> None:
            pass

        def _finalize_final_module(self) -> None:
            self._finalized = True

        def get_pointer_to_function(self, name: str) -> int:
            return 0  # which nobody calls

        @property
        def codegen(self) -> Any:
            return self

        def set_env(self, name: str, env: Any) -> None:
            pass  # there is no machine code that would look for its Python objects

    class PartCompiler(Compiler):
        def __init__(self, typing: Any, target: Any, library: Any, *others: Any) -> None:
            super().__init__(typing, target, Part(target.codegen(), "glassnet"), *others)

    return PartCompiler


def _cache_on_disk(compiled: Any, function: FunctionType, *, cached: bool) -> None:
    """Give a function Numba's cache on disk, one that does without what is damaged or cannot be written."""
    if not cached:
        return _announce()
    from numba.core.caching import FunctionCache
    from numba.core.runtime.nrt import rtsys

    class Cache(FunctionCache):
        def load_overload(self, signature: Any, target: Any) -> Any:
            found = self._attempt(signature, target)
            if found is not None:
                return found
            _announce()
            if (held := _held.get()) is not None:
                with contextlib.suppress(FileError):  # the file cannot be written to, or does not come free
                    held.enter_context(lock_file(Path(function.__code__.co_filename), wait=MOST_WAIT))
                found = self._attempt(signature, target)  # another process may have written it since
                if found is not None:
                    held.close()
            return found

        def _attempt(self, signature: Any, target: Any) -> Any:
            try:
                rtsys.initialize(target)  # Numba's own also takes in all that only compiling needs: .3 s
                return self._load_overload(signature, target)
            except Exception:  # whatever a damaged file brings; it is compiled and written anew
                with contextlib.suppress(OSError):
                    self.flush()
            return None

        def save_overload(self, signature: Any, data: Any) -> None:
            with contextlib.suppress(OSError):
                super().save_overload(signature, data)
            if (held := _held.get()) is not None:
                held.close()

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
