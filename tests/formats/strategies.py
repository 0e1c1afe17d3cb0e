"""Small networks of all kinds."""

import numpy as np
from hypothesis import strategies as st

from fastmlp import Dense, Network, Scaling
from fastmlp.model.activations import ACTIVATIONS
from fastmlp.model.losses import LOSSES


@st.composite
def networks(draw):
    dtype = draw(st.sampled_from(["float32", "float64"]))
    inputs = draw(st.integers(1, 6))
    layers = [
        Dense(draw(st.integers(1, 9)), draw(st.sampled_from(sorted(ACTIVATIONS))), bias=draw(st.booleans()))
        for _ in range(draw(st.integers(0, 3)))
    ]
    loss = draw(st.sampled_from(sorted(LOSSES)))
    last = Dense(draw(st.integers(2, 4)), bias=draw(st.booleans()))
    shifted = Scaling(0.5, np.linspace(-1, 1, inputs))
    centred = Scaling(np.linspace(0.5, 1, inputs), centre=np.linspace(-1, 1, inputs))
    scaling = draw(st.sampled_from([None, "pixels", shifted, centred, "auto"]))
    return Network(
        [inputs, *layers, last], loss=loss, scaling=scaling, dtype=dtype, seed=draw(st.integers(0, 99)),
        bias_initializer="uniform",
    )  # fmt: skip
