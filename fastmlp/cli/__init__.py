"""The command line, `fastmlp` (floor 11; imports rich, typer, errors).

`app` declares the commands and their options, `train` trains, `plot` draws, `predict` reads pictures, `reports` answers
the other commands, `show` knows how things look on a terminal and in a pipe. Nothing slow is imported before a command
needs it, so that help is instant.
"""

import _thread
import io
import signal
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of the process.

    Raises
    ------
    SystemExit
        Always. Its code is 0 for success, 2 for an error that the message on standard error explains, 130 after Ctrl-C,
        143 after SIGTERM.
    """
    hook, sys.unraisablehook = sys.unraisablehook, _interrupt_later
    try:
        _run(arguments)
    except KeyboardInterrupt:  # outside of the commands' own code, such as while modules are imported
        print("error: interrupted", file=sys.stderr)
        raise SystemExit(130) from None
    finally:
        sys.unraisablehook = hook
        if threading.current_thread() is threading.main_thread():
            # What is left to do is Python's own, and would answer another Ctrl-C with a traceback.
            signal.signal(signal.SIGINT, signal.SIG_DFL)


def _interrupt_later(unraisable: Any) -> None:
    """Repeat a Ctrl-C that came while an object was deleted, where Python can only print and forget it."""
    if not issubclass(unraisable.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)
        return

    def interrupt() -> None:
        time.sleep(0.01)
        _thread.interrupt_main()

    _thread.start_new_thread(interrupt, ())


def _run(arguments: Sequence[str] | None) -> None:
    try:
        import rich  # noqa: F401  (Typer runs without it, our tables don't)
        import typer  # noqa: F401
    except ImportError as error:
        from ..errors import require

        print(f"error: {require('cli', error.name or 'typer')}", file=sys.stderr)
        raise SystemExit(2) from None
    from .app import app

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a letter that the terminal's encoding lacks is no reason to fail
            stream.reconfigure(errors="replace")
    app(args=None if arguments is None else list(arguments), prog_name="fastmlp")
