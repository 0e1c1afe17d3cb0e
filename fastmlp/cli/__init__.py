"""The command line, `fastmlp` (floor 11; imports rich, typer, errors).

`app` declares the commands and their options, `train` trains, `plot` draws, `predict` reads pictures, `reports` answers
the other commands, `show` knows how things look on a terminal and in a pipe. Nothing slow is imported before a command
needs it, so that help is instant.
"""

import io
import sys
from collections.abc import Sequence


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
