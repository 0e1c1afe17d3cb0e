"""The float64 reference, against which all losses are checked (imports fastmlp)."""

from . import fastmlp_fit


class Trainer(fastmlp_fit.Trainer):
    """See `fastmlp_fit.Trainer`: the reference engine in float64, from the same weights."""

    engine, dtype = "numpy", "float64"
