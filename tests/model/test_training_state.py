import numpy as np

from fastmlp.model.architecture import Architecture
from fastmlp.model.optimizers import SGD, Adam
from fastmlp.model.training_state import TrainingState

BUILT = Architecture.build([2, 3])


def state_after(*optimizers):
    """A state whose moments are 1 wherever an optimizer has moved them."""
    state = TrainingState(BUILT.zeros(), np.random.default_rng(0), 0)
    for optimizer in optimizers:
        state.prepare_for(optimizer, BUILT)
        for moment in state.moments:
            moment[...] = 1
    return state


def test_training_goes_on_with_the_moments_of_the_same_optimizer():
    state = state_after(Adam())
    state.prepare_for(Adam(0.5), BUILT)
    assert [moment.all() for moment in state.moments] == [True, True]


def test_another_optimizer_starts_with_no_memory():
    state = state_after(Adam())
    state.step = 5
    state.prepare_for(SGD(momentum=0.9), BUILT)
    assert [moment.any() for moment in state.moments] == [False] and state.step == 0


def test_a_momentum_does_not_go_on_from_before_a_training_without():
    state = state_after(SGD(momentum=0.9), SGD())
    assert state.moments == []
    state.prepare_for(SGD(momentum=0.9), BUILT)
    assert not state.moments[0].any()
