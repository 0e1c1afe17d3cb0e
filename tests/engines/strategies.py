"""What hypothesis draws networks, data and optimizers from."""

import numpy as np
from hypothesis import strategies as st

from fastmlp.data.samples import Scaling
from fastmlp.model.activations import ACTIVATIONS
from fastmlp.model.architecture import Dense
from fastmlp.model.losses import LOSSES
from fastmlp.model.optimizers import SGD, Adam, AdamW, RMSprop

from ..interpreted import size
from .problems import build, random_problem

KINDS = ["uint8", "float32", "float64", "csr-uint8", "csr-float32", "csr-float64"]
HIDDEN = [name for name in ACTIVATIONS if name != "exponential"]
"""Not exponential: random networks of it grow beyond all bounds, or nearly so, and rounding with them."""
SMOOTH = ["identity", "sigmoid", "tanh", "elu", "gelu", "silu", "softmax"]

sparse_or_dense = st.sampled_from([None, True, False])
sizes = st.one_of(st.integers(1, size(40, 20)), st.sampled_from(size([64, 65, 130, 200], [33])))
rates = st.sampled_from([0.0, 0.3, 0.5])
biases = st.sampled_from([None, True, False])


@st.composite
def architectures(draw, dtypes=("float32", "float64"), activations=tuple(HIDDEN), losses=tuple(LOSSES)):
    """Networks of one to three layers, one of which at least is trained."""
    loss, activation = draw(st.sampled_from(losses)), st.sampled_from(activations)
    depth = draw(st.integers(1, 3))
    hidden = [Dense(draw(sizes), draw(activation), draw(rates), draw(biases)) for _ in range(depth - 1)]
    output = LOSSES[loss].output if LOSSES[loss].from_logits else draw(activation)
    outputs = draw(st.integers(2, size(40, 20)) if output == "softmax" else sizes)
    penalties = {name: draw(st.sampled_from([0.0, 0.0, 0.01])) for name in ("l1", "l2")}
    if activations == tuple(SMOOTH):
        penalties["l1"] = 0.0
    if loss == "quantile":
        penalties["quantile"] = draw(st.sampled_from([0.1, 0.5, 0.9]))
    if loss == "cross_entropy":
        penalties["label_smoothing"] = draw(st.sampled_from([0.0, 0.0, 0.2]))
    trained = draw(st.lists(st.sampled_from([True, True, False]), min_size=depth, max_size=depth).filter(any))
    built = build(
        [draw(sizes), *hidden, outputs],
        loss,
        output=output,
        bias=draw(st.booleans()),
        dtype=draw(st.sampled_from(dtypes)),
        **penalties,
    )
    return built.with_trainable(trained)


@st.composite
def problems(draw, kinds=tuple(KINDS), **options):
    """A network and data of any kind, scaled so that features are of size one."""
    architecture, kind = draw(architectures(**options)), draw(st.sampled_from(kinds))
    unit = 1 / 255 if "uint8" in kind else 1.0
    factors = np.random.default_rng(0).uniform(0.5, 1, (2, architecture.inputs))
    centred = Scaling(unit * factors[0], factors[1] - 0.75, centre=(factors[1] - 0.6) / unit)
    scaling = draw(
        st.sampled_from(
            [None, Scaling(unit), Scaling(unit, -0.5), Scaling(unit * factors[0], factors[1] - 0.75), centred]
        )
    )
    return random_problem(
        architecture,
        rows=draw(st.integers(1, size(50, 12))),
        kind=kind,
        labels=draw(st.booleans()),
        weighted=draw(st.booleans()),
        scaling=scaling,
        density=draw(st.sampled_from([0.0, 0.2, 1.0])),
        seed=draw(st.integers(0, 1000)),
        one_class=draw(st.booleans()),
    )


def optimizers(epsilon=1e-8):
    """Every optimizer, with and without its options."""
    decays, clips = st.sampled_from([0.0, 0.1]), st.sampled_from([None, None, 0.1])
    return st.one_of(
        st.builds(SGD, st.just(0.01), weight_decay=decays, clip_norm=clips),
        st.builds(SGD, st.just(0.002), st.just(0.9), st.booleans(), decays, clips),
        st.builds(RMSprop, st.just(0.01), epsilon=st.just(epsilon), weight_decay=decays, clip_norm=clips),
        st.builds(Adam, st.just(0.01), epsilon=st.just(epsilon), clip_norm=clips),
        st.builds(AdamW, st.just(0.01), epsilon=st.just(epsilon), clip_norm=clips),
    )
