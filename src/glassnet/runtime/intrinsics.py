"""What compiled code can do and Python has no words for, as functions that Numba knows."""

from __future__ import annotations

import functools
import platform
from collections.abc import Callable
from typing import Any

X86 = platform.machine().lower() in ("x86_64", "amd64")

#: Flush-to-zero and denormals-are-zero, in the control word of the x86 vector unit.
FLUSH = 0x8040

#: What `machine_functions` gives.
MACHINE_FUNCTIONS = (
    "call_address",
    "fence",
    "sleep_microseconds",
    "prefetch",
    "refer",
    "fma",
    "address",
    "at",
    "carray",
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
    ``fma(x, y, z)`` is x y + z, rounded once. ``address(numbers)`` is where an array begins in memory, and
    ``at(numbers, place)`` where one of its numbers stands.
    ``carray(place, shape)`` is the array, row by row, at a typed address; unlike Numba's own function of this name
    it can be compiled without Numba's memory, and is no function of its own to compile.
    ``refer(record)`` returns a named tuple by its address, as long as the function runs that asks for it.
    ``flush_denormals()`` has this thread take numbers too small to be normal for 0, which on Intel's processors
    are a hundred times slower than others, and returns what ``restore_denormals(state)`` takes.
    """
    from llvmlite import ir
    from numba import types
    from numba.core import cgutils
    from numba.extending import intrinsic

    reference = _reference_type()

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
    def refer(typing: Any, record: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return cgutils.alloca_once_value(builder, arguments[0])

        return reference(record)(record), code

    sleep_microseconds = types.ExternalFunction("usleep", types.int32(types.uint32))
    functions = (call_address, fence, sleep_microseconds, prefetch, refer)
    functions += (*_number_functions(), *_denormal_functions())
    return dict(zip(MACHINE_FUNCTIONS, functions, strict=True))


def _number_functions() -> tuple[Any, ...]:
    """Return ``fma``, ``address``, ``at`` and ``carray``."""
    from numba import types
    from numba.core import cgutils
    from numba.extending import intrinsic
    from numba.np.arrayobj import make_array, populate_array

    @intrinsic
    def fma(typing: Any, x: Any, y: Any, z: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.fma(*arguments)

        return x(x, x, x), code

    def find(context: Any, builder: Any, kind: Any, numbers: Any) -> Any:
        """Return where an array's numbers stand."""
        data = context.make_array(kind)(context, builder, numbers).data
        return builder.ptrtoint(data, context.get_value_type(types.intp))

    @intrinsic
    def address(typing: Any, numbers: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return find(context, builder, signature.args[0], arguments[0])

        return types.intp(numbers), code

    @intrinsic
    def at(typing: Any, numbers: Any, place: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            kind, word = signature.args[0], context.get_value_type(types.intp)
            size = word(context.get_abi_sizeof(context.get_data_type(kind.dtype)))
            return builder.add(find(context, builder, kind, arguments[0]), builder.mul(arguments[1], size))

        return types.intp(numbers, types.intp), code

    @intrinsic
    def carray(typing: Any, place: Any, shape: Any) -> Any:
        kind = types.Array(place.dtype, getattr(shape, "count", 1), "C")

        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            word = context.get_value_type(types.intp)
            size = word(context.get_abi_sizeof(context.get_data_type(kind.dtype)))
            counts = [arguments[1]] if kind.ndim == 1 else cgutils.unpack_tuple(builder, arguments[1])
            strides = [size]
            for count in counts[:0:-1]:
                strides.insert(0, builder.mul(strides[0], count))
            array = make_array(kind)(context, builder)
            populate_array(array, arguments[0], counts, strides, size, None)
            return array._getvalue()

        return kind(place, types.unliteral(shape)), code

    return fma, address, at, carray


def _denormal_functions() -> tuple[Any, Any]:
    """Return ``flush_denormals`` and ``restore_denormals``."""
    from llvmlite import ir
    from numba import types
    from numba.core import cgutils
    from numba.extending import intrinsic

    def control(builder: Any, name: str, place: Any) -> None:
        kind = ir.FunctionType(ir.VoidType(), [ir.PointerType()])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.x86.sse.{name}"), [place])

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

    return flush_denormals, restore_denormals
