"""Fuzz the readers, guided by coverage: ``python -m tests.fuzz --seconds 60`` (needs ``pip install -e '.[fuzz]'``).

Each reader is fuzzed in a process of its own, whose death counts as a failure too. Prints how many files were tried,
how many of them were refused, and the first failure with the file that causes it.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import tracemalloc
from pathlib import Path

INSTRUMENTED = ["fastmlp", "zipfile", "json", "gzip", "PIL", "numpy.lib", "onnx", "safetensors"]
"""Packages whose branches guide the fuzzer."""


def main() -> int:
    """Read the arguments; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("readers", nargs="*", metavar="READER", help="by default all of them")
    parser.add_argument("--seconds", type=int, default=60, help="for each reader (default 60)")
    parser.add_argument("--executions", type=int, default=-1, help="for each reader at most")
    parser.add_argument("--longest", type=int, default=8192, help="bytes of the longest file (default 8192)")
    parser.add_argument("--seed", type=int, default=1, help="of the changes (default 1)")
    parser.add_argument("--corpus", type=Path, help="folder that keeps interesting files from run to run")
    parser.add_argument("--failures", type=Path, default=Path("fuzz-failures"), help="folder for files that fail")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        fuzz(arguments)
    from .readers import READERS

    if unknown := set(arguments.readers) - set(READERS):
        parser.error(f"unknown reader {', '.join(sorted(unknown))}; there are {', '.join(READERS)}")
    failed = [name for name in arguments.readers or READERS if not _run(name, arguments)]
    print(f"failed: {', '.join(failed)}" if failed else "nothing failed")
    return bool(failed)


def _run(name: str, arguments: argparse.Namespace) -> bool:
    """Fuzz one reader in another process; print how it went, and return whether it went well."""
    with tempfile.TemporaryDirectory() as folder:
        corpus = (arguments.corpus or Path(folder)) / name
        command = [sys.executable, "-m", "tests.fuzz", name, "--child", "--corpus", str(corpus)]
        for option in ("seconds", "executions", "longest", "seed", "failures"):
            command += [f"--{option}", str(getattr(arguments, option))]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    counted = re.search(r"stat::number_of_executed_units:\s*(\d+)", done.stderr)
    refused = re.findall(r"refused: (\d+%)", done.stdout)
    covered = re.findall(r"cov: (\d+)", done.stderr)
    print(
        f"{name}: {int(counted[1]) if counted else 0:,} executions, {refused[-1] if refused else '?'} refused, "
        f"coverage {covered[-1] if covered else '?'}" + ("" if done.returncode == 0 else ", FAILED"),
        flush=True,
    )
    if done.returncode:
        said = [line for line in done.stdout.splitlines() if not line.startswith("refused")] + done.stderr.splitlines()
        print("\n".join(line for line in said[-60:] if not re.match(r"#\d+|\s*NEW_FUNC|INFO:|stat::|0x|\\\\", line)))
    return done.returncode == 0


def fuzz(arguments: argparse.Namespace) -> None:
    """Fuzz one reader here, until it fails or time is up; the process ends with it."""
    import atheris

    # Numba would compile what is instrumented; the reference engine is enough here.
    with atheris.instrument_imports(include=INSTRUMENTED, exclude=["fastmlp.kernels"]):
        from .readers import READERS, check, without_checksums

        READERS[arguments.readers[0]].seeds()  # which imports what it needs

    name = arguments.readers[0]
    reader = READERS[name]
    arguments.corpus.mkdir(parents=True, exist_ok=True)
    arguments.failures.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="fastmlp-fuzz-"))
    path = folder / f"file{reader.suffix}"
    executions = refused = 0

    def once(content: bytes) -> None:
        nonlocal executions, refused
        path.write_bytes(content)
        refused += check(reader, path) is not None
        executions += 1
        if executions % 100 == 0:  # the fuzzer leaves without a word to Python
            print(f"refused: {refused / executions:.0%}", flush=True)

    words = folder / "words"
    words.write_text("".join(f'"{word}"\n' for word in reader.words))
    tracemalloc.start()
    with without_checksums():
        for number, seed in enumerate(reader.seeds()):
            (arguments.corpus / f"seed-{number:02d}").write_bytes(seed)
            path.write_bytes(seed)
            reader.read(path)  # so that what is imported late is not taken for what the file did
        options = {
            "max_total_time": arguments.seconds, "runs": arguments.executions, "max_len": arguments.longest,
            "seed": arguments.seed, "timeout": 120, "rss_limit_mb": 4096, "print_final_stats": 1,
            "use_value_profile": 1, "artifact_prefix": f"{arguments.failures}/{name}-",
        }  # fmt: skip
        if reader.words:
            options["dict"] = words
        given = [f"-{option}={value}" for option, value in options.items()]
        atheris.Setup([sys.argv[0], str(arguments.corpus), *given], once)
        atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
