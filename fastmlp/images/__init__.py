"""Pictures of digits, converted to MNIST's format (floor 3)."""

from .digit import as_digit

__all__ = ["as_digit"]


def __dir__() -> list[str]:
    return sorted(__all__)
