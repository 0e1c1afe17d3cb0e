"""One fit of a network at a time, and copies of it between epochs only (floor 7; imports errors)."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import TrainingError


class Turns:
    """Whose turn it is to change a network.

    Attributes
    ----------
    between_epochs : threading.RLock
        Held while an epoch changes the network. Who takes it sees the network as it is between two epochs.
    under_way : bool
        Whether a fit is.
    """

    def __init__(self) -> None:
        self.between_epochs = threading.RLock()
        self.under_way = False
        self._entry = threading.Lock()

    @contextmanager
    def fit(self) -> Iterator[None]:
        """Be the one fit that trains the network.

        Raises
        ------
        TrainingError
            Another one does.
        """
        with self._entry:
            if self.under_way:
                raise TrainingError(
                    "this network is being trained already, in another thread or by the fit that called this one; wait "
                    "for that fit to end, or train a copy: copy.copy(net)"
                )
            self.under_way = True
        try:
            yield
        finally:
            self.under_way = False
