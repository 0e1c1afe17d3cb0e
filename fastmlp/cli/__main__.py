"""``python -m fastmlp.cli``, for where the command `fastmlp` is not on the path (floor 6)."""

from . import main

main()
