"""An optimizer and its penalties as kernels are told of them (floor 5; imports model, kernels)."""

from functools import lru_cache

from ...kernels.runtime import constants
from ...kernels.runtime.records import Settings
from ...model.optimizers import SGD, Adam, Optimizer, RMSprop


@lru_cache(maxsize=64)
def settings_of(optimizer: Optimizer, l1: float, l2: float) -> tuple[int, Settings]:
    """Describe an optimizer and the penalties to the kernels: its code, and its numbers, to be read only."""
    settings = Settings(l1=l1, l2=l2, weight_decay=optimizer.weight_decay, clip_norm=optimizer.clip_norm or 0)
    if isinstance(optimizer, SGD):
        settings.enter(momentum=optimizer.momentum, nesterov=optimizer.nesterov)
        return constants.SGD, settings
    settings.epsilon = optimizer.epsilon
    if isinstance(optimizer, RMSprop):
        settings.decay = optimizer.decay
        return constants.RMSPROP, settings
    assert isinstance(optimizer, Adam)
    settings.enter(beta_1=optimizer.beta_1, beta_2=optimizer.beta_2, epsilon_hat=optimizer.epsilon_hat)
    return constants.ADAM, settings
