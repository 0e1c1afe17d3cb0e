"""``python -m fastmlp.cli``, for where the command `fastmlp` is not on the path (floor 11)."""

from . import main

main()
