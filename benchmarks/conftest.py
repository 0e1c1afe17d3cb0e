"""Which flags run the benchmarks, and the table at the end of a run."""

import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from .machine import describe, in_words, other_kernels
from .measuring import Row, table

# They import libraries that may not be there; doctest would import them.
collect_ignore = [f"peers/{name}.py" for name in ("jax_scan", "onnx_runtime", "pytorch", "scikit_learn")]

_ROWS: pytest.StashKey[list[Row]] = pytest.StashKey()
_LIMITED: pytest.StashKey[bool] = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    """Have our table in the place of pytest-benchmark's, unless that one is asked for."""
    if not config.getoption("benchmark_columns", None) and not config.getoption("benchmark_compare", None):
        config.option.benchmark_quiet = True
    if config.pluginmanager.hasplugin("benchmark"):
        from pytest_benchmark.logger import PytestBenchmarkWarning

        # What it warns of, such as having nothing to compare with, is no error; it does so now and at the end.
        warnings.simplefilter("default", PytestBenchmarkWarning)
        config.addinivalue_line("filterwarnings", "default::pytest_benchmark.logger.PytestBenchmarkWarning")
    config.stash[_ROWS] = []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the benchmarks out of a run that doesn't ask for them, and all else out of one for them only."""
    only, *also = (config.getoption(f"benchmark_{flag}", False) for flag in ("only", "enable", "disable"))
    if only or not any(also):
        deselected = [item for item in items if _is_benchmark(item) != only]
        config.hook.pytest_deselected(items=deselected)
        items[:] = [item for item in items if _is_benchmark(item) == only]


def _is_benchmark(item: pytest.Item) -> bool:
    return "benchmark" in getattr(item, "fixturenames", ())


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the table."""
    if config.stash[_ROWS]:
        terminalreporter.section("benchmarks", sep="-")
        for line in table(config.stash[_ROWS]):
            terminalreporter.write_line(line)
        limited = config.stash.get(_LIMITED, False)
        threads = "one thread" if limited else "kernels on one thread, NumPy's BLAS on as many as it likes"
        terminalreporter.write_line("")
        terminalreporter.write_line(
            f"{in_words(describe())}; {threads}{other_kernels()}, where a table says nothing else; "
            "minimum of interleaved rounds"
        )


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Any:
    """Return a function that adds a `Row` to the table; None, of a benchmark that was not timed, adds nothing."""

    def add(row: Row | None) -> None:
        if row is not None:
            request.config.stash[_ROWS].append(row)

    return add


@pytest.fixture
def one_blas_thread(request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep NumPy's BLAS to one thread, as the kernels are, where threadpoolctl is installed."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        yield
        return
    request.config.stash[_LIMITED] = True
    with threadpool_limits(1, "blas"):
        yield
