"""Pictures of digits, converted to MNIST's format (floor 3)."""

from .digit import as_digit as as_digit
