"""The test digits, and which of them a network gets wrong (floor 10; imports numpy, datasets)."""

import base64
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..datasets import Dataset, load_mnist
from . import limits
from .looking import SIDE, as_inputs, digits_of_outputs, kind_of_outputs
from .shelf import Model


class Gallery:
    """MNIST, read when it is first needed, and pages of its test digits."""

    @cached_property
    def dataset(self) -> Dataset:
        """All of MNIST; trainings take it from here too, so that it is in memory once."""
        return load_mnist()

    def __len__(self) -> int:
        return len(self.dataset.X_test)

    def digit(self, number: int) -> NDArray[np.uint8]:
        """Return a test digit, shape (28, 28)."""
        image: NDArray[np.uint8] = self.dataset.X_test[number].reshape(SIDE, SIDE)
        return image

    def label(self, number: int) -> str:
        """Return what a test digit is."""
        return str(self.dataset.y_test[number])

    def accuracy(self, model: Model) -> float:
        """Return the share of test digits that a network gets right."""
        return float((self._answers(model)[0] == self.dataset.y_test).mean())

    def page(self, model: Model, *, wrong: bool, label: int | None, page: int) -> dict[str, Any]:
        """Return some of the test digits with a network's answers, as JSON has them.

        Parameters
        ----------
        model : Model
        wrong : bool
            Only those it gets wrong, the most confident first.
        label : int or None
            Only those that are this digit.
        page : int
            From 0; one beyond the last is the last.

        Returns
        -------
        dict
            ``total``, how many there are on all pages; ``pages``; ``page``; ``kind``, of the outputs, see
            `kind_of_outputs`; ``digits``, each with its ``number`` among the test digits, ``label``, ``answer``, the
            ``output`` of that answer, and ``pixels`` as base64.
        """
        answers, largest = self._answers(model)
        truth = self.dataset.y_test
        wanted = np.ones(len(truth), dtype=bool)
        if wrong:
            wanted &= answers != truth
        if label is not None:
            wanted &= truth == label
        numbers = np.flatnonzero(wanted)
        if wrong:
            numbers = numbers[np.argsort(-largest[numbers], kind="stable")]
        pages = max(1, -(-len(numbers) // limits.DIGITS_A_PAGE))
        page = min(page, pages - 1)
        shown = numbers[page * limits.DIGITS_A_PAGE : (page + 1) * limits.DIGITS_A_PAGE]
        return {
            "total": len(numbers),
            "pages": pages,
            "page": page,
            "kind": kind_of_outputs(model.look()[0]),
            "digits": [
                {
                    "number": int(number),
                    "label": str(truth[number]),
                    "answer": str(answers[number]),
                    "output": round(float(largest[number]), 4),
                    "pixels": base64.b64encode(self.dataset.X_test[number].tobytes()).decode(),
                }
                for number in shown
            ],
        }

    def _answers(self, model: Model) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Answers to all test digits as numbers, and their outputs; computed once a version of a network."""
        network, version = model.look()
        if model.answers is None or model.answers[0] != version:
            with np.errstate(all="ignore"):
                outputs = np.nan_to_num(network(as_inputs(network, self.dataset.X_test)))
            digits = np.array(digits_of_outputs(network))
            model.answers = (version, digits[outputs.argmax(axis=1)], outputs.max(axis=1))
        return model.answers[1], model.answers[2]
