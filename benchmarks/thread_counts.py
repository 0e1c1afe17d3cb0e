"""Training under callgrind, which counts the instructions of every thread, by kernel (imports llvmlite and fastmlp).

    python benchmarks/thread_counts.py compile                 fill the cache with kernels for callgrind
    valgrind --tool=callgrind ... thread_counts.py count NAME THREADS...

`thread_model.py` starts both and reads what they write. Only code of the kernels is counted, and not while a thread
waits: around the loops in which threads wait stand requests to callgrind to stop counting and to go on.

Valgrind knows no AVX-512, so the kernels are compiled for AVX2: a product then takes twice as many instructions. What
is done on vectors and what is not, what is divided among the threads and what is repeated, stays in proportion but for
loops over single numbers.
"""

import ctypes
import json
import mmap
import os
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import FunctionType
from typing import Any

import llvmlite.binding

_CALLGRIND = ord("C") << 24 | ord("T") << 16
_TOGGLE, _DUMP_AT, _START, _STOP = (_CALLGRIND + number for number in (2, 3, 4, 5))
_REQUEST = "rolq $$3, %rdi; rolq $$13, %rdi; rolq $$61, %rdi; rolq $$51, %rdi; xchgq %rbx, %rbx"
"""Instructions that do nothing, and that valgrind takes as a request; its words are at the address in rax."""

_MACHINE_CODE = bytes.fromhex("4889f8 31d2 48c1c703 48c1c70d 48c1c73d 48c1c733 4887db 4889d0 c3".replace(" ", ""))
"""The same as a function of the address."""

ENVIRONMENT = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": ""}
"""What kernels are compiled for, the same with and without valgrind, so that it finds them in the cache."""


def main() -> None:
    """Run the script."""
    _know_no_avx512()
    _mark_waiting()
    if sys.argv[1] == "compile":
        from fastmlp.engines.simd import engine

        engine.warmup()
    else:
        count(sys.argv[2], list(map(int, sys.argv[3:])))


def _know_no_avx512() -> None:
    """Have the kernels' vectors made for AVX2 without valgrind, too."""
    features = {**llvmlite.binding.get_host_cpu_features(), "avx512f": False}
    llvmlite.binding.get_host_cpu_features = lambda: features


def _mark_waiting() -> None:
    """Replace the kernels that wait by such as are not counted meanwhile; before anything imports them by name."""
    from llvmlite import ir
    from numba.core import cgutils, types
    from numba.extending import intrinsic

    from fastmlp.kernels.parallel import barrier as module
    from fastmlp.kernels.runtime.jit import kernel

    llvmlite.binding.initialize_native_asmparser()
    read, add, write, let_others_run = module._read, module._add, module._write, module._let_others_run
    arrived, turn, broken, far_, line = module._ARRIVED, module._ROUND, module.BROKEN, module._FAR, module._LINE

    @intrinsic  # type: ignore[untyped-decorator]
    def toggle(typingctx: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            word = ir.IntType(64)
            words = cgutils.alloca_once(builder, ir.ArrayType(word, 6))
            builder.store(ir.Constant(word, _TOGGLE), builder.bitcast(words, word.as_pointer()))
            address, zero = builder.ptrtoint(words, word), ir.Constant(word, 0)
            form = ir.FunctionType(word, [word, word])
            builder.asm(form, _REQUEST, "={rdx},{rax},0,~{cc},~{memory}", [address, zero], side_effect=True)
            return context.get_dummy_value()

        return types.void(), codegen

    @kernel
    def wait(barrier, threads):  # type: ignore[no-untyped-def]
        if threads == 1:
            return
        before = read(barrier, turn)
        if add(barrier, arrived, 1) == threads - 1:
            write(barrier, arrived, 0)
            write(barrier, turn, before + 1)
            return
        toggle()
        while read(barrier, turn) == before and read(barrier, broken) == 0:
            let_others_run()
        toggle()

    @kernel
    def wait_for(barrier, thread, far):  # type: ignore[no-untyped-def]
        toggle()
        while read(barrier, far_ + thread * line) < far and read(barrier, broken) == 0:
            let_others_run()
        toggle()

    module.wait, module.wait_for = wait, wait_for


def count(name: str, numbers_of_threads: Sequence[int]) -> None:
    """Train an epoch of a workload's first rows with each number of threads; print a line of JSON about each.

    It says how the work was divided, the bytes that each thread published and collected, and the meetings; a last line
    has the functions' addresses. Callgrind writes the rest, a file for each thread.
    """
    from benchmarks.thread_model import rows_of
    from benchmarks.workloads import WORKLOADS, make_data
    from fastmlp.engines import get_engine
    from fastmlp.engines.simd import engine, threads

    workload = WORKLOADS[name].limited(rows_of(WORKLOADS[name]))
    data = make_data(workload)
    engine.warmup()  # which trains, too; and so does the first use of a Numba that is not known yet
    get_engine("numba").load(workload.network().architecture)
    counting = _Counting()
    threads.Team.run = lambda *given: counting.run(*given)  # type: ignore[method-assign]
    for wanted in numbers_of_threads:
        # The machine has fewer processors: threads take turns, which doesn't change what each of them does.
        vars(engine)["available_threads"] = partial(int, wanted)
        counting.label = f"{name} {wanted}"
        workload.network().fit(
            data.given_X,
            data.given_y,
            epochs=1,
            batch_size=workload.batch_size,
            optimizer=workload.own_optimizer(),
            shuffle=workload.shuffled,
            engine="numba",
            threads=wanted,
            verbose=0,
        )
        steps = -(-workload.rows // workload.batch_size)
        print(json.dumps({"wanted": wanted, "steps": steps, **counting.described}, default=int), flush=True)
    print(json.dumps({"symbols": list(_symbols())}), flush=True)


class _Counting:
    """What stands in the place of `Team.run`: it counts each thread's instructions in training.

    Attributes
    ----------
    label : str
        Of the dumps that callgrind writes; the number of the thread comes after it.
    described : dict
        Of the last training, see `_described`.
    """

    def __init__(self) -> None:
        from fastmlp.engines.simd.threads import Team

        self.label, self.described = "", dict[str, Any]()
        self._request, self._run, self._meetings = _requests(), Team.run, 0

    def run(self, team: Any, function: Callable[..., None], arguments: Sequence[tuple[Any, ...]]) -> None:
        """Run a function on threads, and count if it trains."""
        from fastmlp.engines.simd.passes import run_half, run_step
        from fastmlp.kernels import epoch

        if function not in (run_step, run_half) or arguments[0][0].mode != epoch.TRAIN:
            self._run(team, function, arguments)
            return
        self._request(_START)
        self._run(team, partial(self._count, function), arguments)
        self._request(_STOP)
        self.described = _described(arguments) | {"meetings": self._meetings}

    def _count(self, function: Callable[..., None], thread: int, threads: int, barrier: Any, *arguments: Any) -> None:
        self._request(_TOGGLE)
        function(thread, threads, barrier, *arguments)
        self._request(_TOGGLE)
        self._request(_DUMP_AT, f"{self.label} {thread}")
        self._meetings = _meetings(barrier)


def _requests() -> Callable[..., None]:
    """Return a function that makes a request to callgrind, with a text where it takes one."""
    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(_MACHINE_CODE)
    place = ctypes.addressof(ctypes.c_char.from_buffer(page))
    call = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_void_p)(place)

    def request(code: int, text: str = "") -> None:
        letters = ctypes.create_string_buffer(text.encode())
        words = (ctypes.c_uint64 * 6)(code, ctypes.addressof(letters))
        call(ctypes.addressof(words))

    request.page = page  # type: ignore[attr-defined]  # it must live as long as the function
    return request


def _meetings(barrier: Any) -> int:
    """How often the threads have met at a barrier, or told one another how far they are."""
    from fastmlp.kernels.parallel import barrier as module

    return int(max(barrier[module._ROUND], barrier[module._FAR]))


def _described(arguments: Sequence[tuple[Any, ...]]) -> dict[str, Any]:
    """Return the number of threads, and the bytes that each moves in a step of one whole batch."""
    steps = [step for (step,) in arguments]
    first, work, threads = steps[0], steps[0].work, len(steps)
    found: dict[str, Any] = {"threads": threads, "way": "rows"}
    if threads == 1:
        return found | {"way": "alone", "published": [0], "collected": [0]}
    if work.half >= 0:
        # Each half's share of the second layer's weighted inputs, to the other and from it.
        moved = [first.batch_size * first.layers[1].row_stride * first.dtype.itemsize] * 2
        return found | {"way": "halves", "published": moved, "collected": moved}
    if work.groups:
        # Every thread adds up the gradients of all groups; its own are in its cache.
        size = first.n_parameters * first.dtype.itemsize
        own = [len(range(thread, work.groups, threads)) for thread in range(threads)]
        published, collected = [n * size for n in own], [(work.groups - n) * size for n in own]
        return found | {"way": "groups", "published": published, "collected": collected}
    return found | dict(_exchanged(steps, min(work.chunk, first.batch_size), -(-first.batch_size // work.chunk)))


def _exchanged(steps: Sequence[Any], count: int, chunks: int) -> Iterator[tuple[str, Any]]:
    """Run `kernels.parallel.exchange` itself, in Python, with functions that count in the place of those that copy."""
    from fastmlp.kernels.parallel import exchange
    from fastmlp.kernels.runtime.records import SPARSE_BYTES
    from fastmlp.model.architecture import padded

    moved = {"published": 0, "collected": 0}

    def counter(what: str) -> Callable[..., None]:
        def add(to: Any, own: Any, start: int, stride: int, rows: int, width: int) -> None:
            moved[what] += max(0, rows) * max(0, width)

        return add

    dtype = steps[0].dtype
    names = dict(vars(exchange))
    for name, value in vars(exchange).items():
        if hasattr(value, "py_func"):
            names[name] = FunctionType(value.py_func.__code__, names)
    names |= {"padded": lambda n, _: padded(n, dtype)}
    names |= {"publish": counter("published"), "collect": counter("collected")}
    every: dict[str, list[int]] = {"published": [], "collected": []}
    for thread, given in enumerate(steps):
        step = given.copy()
        layer, step.by_columns = step.layers[0], step.rows.kind >= SPARSE_BYTES
        step.count, step.first, step.last = (
            count,
            count * thread // len(steps),
            count * (thread + 1) // len(steps),
        )
        moved |= {"published": 0, "collected": 0}
        names["publish_rows"](step)
        names["collect_rows"](step)
        if step.by_columns:
            own, rows = layer.end_column - layer.first_column, step.last - step.first
            moved["published"] += (count // step.work.parts - rows) * own
            moved["collected"] += rows * (layer.width - own)
        of_chunks = {name: numbers * chunks for name, numbers in moved.items()}
        moved |= {"published": 0, "collected": 0}
        names["publish_parameters"](step)
        names["collect_parameters"](step)
        for name, numbers in moved.items():
            every[name].append((of_chunks[name] + numbers) * dtype.itemsize)
    yield from every.items()


def _symbols() -> Iterator[tuple[int, int, str]]:
    """Yield address, size and name of every function in the machine code of `epoch.run`."""
    from fastmlp.kernels import epoch

    entry_point: Any = epoch.run
    for compiled in entry_point.overloads.values():
        library, entry = compiled.library, compiled.fndesc.llvm_func_name
        functions = list(_functions(_OBJECTS[library.name, id(library)]))
        moved = library.get_pointer_to_function(entry) - dict((name, place) for place, _, name in functions)[entry]
        for place, size, name in functions:
            yield place + moved, size, _plain(name)


def _functions(elf: bytes) -> Iterator[tuple[int, int, str]]:
    """Yield offset in its section, size and name of the functions in an object file of 64 bits."""
    table, size, number = struct.unpack_from("<Q", elf, 40)[0], *struct.unpack_from("<HH", elf, 58)
    sections = [struct.unpack_from("<IIQQQQIIQQ", elf, table + n * size) for n in range(number)]
    for section in sections:
        if section[1] == 2:  # a symbol table; `link` names its strings
            strings = sections[section[6]][4]
            for place in range(section[4], section[4] + section[5], 24):
                name, info, _, _, value, length = struct.unpack_from("<IBBHQQ", elf, place)
                if info & 15 == 2:
                    yield value, length, elf[strings + name : elf.index(b"\0", strings + name)].decode()


def _plain(mangled: str) -> str:
    """Return the name that a function has in Python, with its folder and file in `kernels/`.

    Examples
    --------
    >>> _plain("_ZN7fastmlp7kernels6sparse4rows12row_gradientB4v188B98c8tJ")
    'sparse.rows.row_gradient'
    """
    parts, rest = [], mangled.removeprefix("_ZN")
    while rest[:1].isdigit():
        length = int(rest[: next(n for n, letter in enumerate(rest) if not letter.isdigit())])
        rest = rest.removeprefix(str(length))
        parts.append(rest[:length])
        rest = rest[length:]
    return ".".join(parts[parts.index("kernels") + 1 :]) if "kernels" in parts else ".".join(parts)


_OBJECTS: dict[tuple[str, int], bytes] = {}
"""The machine code of each library, which Numba forgets once it is loaded."""


def _keep_objects() -> None:
    from numba.core.codegen import CodeLibrary

    keep = CodeLibrary._set_compiled_object

    def set_compiled_object(self: Any, value: bytes) -> None:
        _OBJECTS[self.name, id(self)] = value
        keep(self, value)

    CodeLibrary._set_compiled_object = set_compiled_object


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    assert all(os.environ.get(name) == value for name, value in ENVIRONMENT.items())
    _keep_objects()
    main()
