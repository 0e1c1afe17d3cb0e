"""Competitors in processes of their own, which live long and take turns (imports benchmarks.peers).

Thread pools of two libraries in one process get into each other's way: OpenMP's threads spin for a while after their
work, XLA's and ONNX Runtime's have their own number, and a limit for one BLAS holds for all. In processes of their own
they only share the processor, and only one of them works at a time.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .peers import Competitor
from .threads import environment

ROOT = Path(__file__).parent.parent

PAUSE = 0.2
"""Seconds before a command that is timed. The threads of the process before it wait for more work in a loop, those of
OpenBLAS for about 0.1 s, before they go to sleep."""

TIMED = ("train", "predict")


class WorkerError(Exception):
    """A competitor failed; the message holds what it said."""


class Worker:
    """The process of a competitor; as a context manager it ends it.

    Parameters
    ----------
    competitor : Competitor
    """

    def __init__(self, competitor: Competitor) -> None:
        self.competitor = competitor
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.peers", competitor.name],
            cwd=ROOT,
            env=environment(competitor.threads),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            encoding="utf-8",
        )

    def ask(self, do: str, **arguments: Any) -> Any:
        """Give a command of `benchmarks.peers.__main__.Session`, and return its answer.

        Raises
        ------
        WorkerError
            It failed, or the process ended.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        if do in TIMED:
            time.sleep(PAUSE)
        try:
            print(json.dumps({"do": do, **arguments}), file=self._process.stdin, flush=True)
            line = self._process.stdout.readline()
        except OSError:
            line = ""
        answer = json.loads(line) if line else {"error": self._said()}
        if "error" in answer:
            raise WorkerError(f"{self.competitor.name}, {do}: {answer['error'].strip()}")
        return answer["answer"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._process.kill()  # it may be in the middle of an epoch
        self._process.communicate()
        self._errors.close()

    def _said(self) -> str:
        """What the process wrote to standard error before it ended."""
        code = self._process.wait()
        self._errors.seek(0)
        return f"ended with exit code {code}\n{self._errors.read()[-4000:]}"
