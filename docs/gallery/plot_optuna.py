"""
Optuna searches, and a callback prunes
======================================

**What you see:** the learning curves of 30 trials. Each trial has its own learning rate, width, dropout and penalty.
Grey curves end early: after a few epochs these trials were worse than the median of the earlier trials, so Optuna
pruned them and spent the time on others. The best trial has a thick line.

**How:** a callback of eight lines reports the validation accuracy to Optuna after every epoch, and raises
``optuna.TrialPruned`` when Optuna decides to end the trial. An exception from a callback ends the training and reaches
the caller of ``fit``.

Optuna is a separate package: ``pip install optuna``. Without it this example says so and draws nothing.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from fastmlp import Adam, Callback, Dense, Network

try:
    import optuna
except ImportError:
    optuna = None
    print("Optuna is not installed, so there is no search: pip install optuna")

# %%
# The data: 1,797 digits of 8 x 8 pixels, which come with scikit-learn.

X, y = load_digits(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(X / 16, y, random_state=0)


# %%
# The callback.


class Pruning(Callback):
    """Report every epoch to an Optuna trial, and end the training when Optuna prunes the trial."""

    def __init__(self, trial):
        self.trial = trial

    def on_epoch_end(self, run):
        """Report the accuracy; prune the trial if Optuna says so."""
        self.trial.report(run.history.val_accuracy[-1], run.epoch)
        if self.trial.should_prune():
            raise optuna.TrialPruned


# %%
# One trial: Optuna suggests the settings, and the validation accuracy rates them.


def objective(trial):
    """Train one network and return its validation accuracy."""
    units = trial.suggest_int("units", 4, 128, log=True)
    dropout = trial.suggest_float("dropout", 0.0, 0.5)
    rate = trial.suggest_float("rate", 1e-4, 0.1, log=True)
    l2 = trial.suggest_float("l2", 1e-6, 1e-2, log=True)
    net = Network([64, Dense(units, dropout=dropout), 10], l2=l2, seed=0)
    history = net.fit(
        X_train,
        y_train,
        epochs=30,
        optimizer=Adam(rate),
        X_val=X_val,
        y_val=y_val,
        callbacks=[Pruning(trial)],
        verbose=0,
    )
    return history.val_accuracy[-1]


# %%
# The search. The sampler's seed makes the search reproducible.

study = None
if optuna is not None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=0),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=3),
    )
    study.optimize(objective, n_trials=30)
    pruned = [trial for trial in study.trials if trial.state == optuna.trial.TrialState.PRUNED]
    print(f"Best accuracy {study.best_value:.1%}, with {study.best_params}")
    print(f"{len(pruned)} of {len(study.trials)} trials were pruned.")

# %%
# Left: the learning curves. Right: the accuracy of each trial against its learning rate.

if study is not None:
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    for trial in study.trials:
        curve = trial.intermediate_values
        best, given_up = trial.number == study.best_trial.number, trial in pruned
        look = {"color": "0.6" if given_up else "C0", "linewidth": 3 if best else 1, "zorder": 3 if best else 2}
        left.plot(curve.keys(), curve.values(), **look)
        left.plot(max(curve), curve[max(curve)], "x" if given_up else "o", color=look["color"], markersize=5)
        right.semilogx(trial.params["rate"], curve[max(curve)], "x" if given_up else "o", color=look["color"])
    for ax in (left, right):
        ax.plot([], [], "o", color="C0", label="ran to the end")
        ax.plot([], [], "x", color="0.6", label="pruned")
        ax.set_ylabel("validation accuracy")
        ax.grid(alpha=0.3)
    left.set(xlabel="epoch", title=f"{len(pruned)} of {len(study.trials)} trials were pruned")
    right.set(xlabel="learning rate", title=f"best: {study.best_value:.1%}")
    right.legend(loc="lower center")

# %%
# **What to try next**
#
# - Let Optuna suggest the number of layers too, and the activation with ``trial.suggest_categorical``.
# - Optimize ``val_loss`` instead of the accuracy: ``direction="minimize"``.
# - Use ``optuna.pruners.HyperbandPruner()``, which starts many trials and keeps few.
# - The best trial was chosen by its validation accuracy, so that number is too optimistic. Keep a third set of rows to
#   test the network on.

plt.show()
