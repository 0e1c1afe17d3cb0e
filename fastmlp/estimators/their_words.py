"""What scikit-learn's MLP says when it refuses what we refuse, for code that looks for it (floor 9).

An estimator that is swapped in by changing an import is caught and matched by what was written for the other one. Our
own words, with numbers and a way out, come first; these are quoted behind them.
"""

NOT_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be preprocessed."
)

OTHER_CLASSES = (
    "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
    "Previously got {known}, `y` has {found}"
)
