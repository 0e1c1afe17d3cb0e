"""What scikit-learn's MLP has not."""

import json

import numpy as np
import pytest

from fastmlp import SGD, Callback, Cosine, EarlyStopping, ReduceOnPlateau, load
from fastmlp.errors import ArgumentError, DivergenceError
from fastmlp.estimators import MLPClassifier, MLPRegressor
from fastmlp.model.losses import LOSSES


def regressor(**options):
    usual = {"hidden_layer_sizes": (8, 8), "random_state": 0, "max_iter": 20, "learning_rate_init": 0.01}
    return MLPRegressor(**usual | options)


def classifier(**options):
    return MLPClassifier((8, 8), random_state=0, **{"max_iter": 20, "learning_rate_init": 0.02, **options})


def half(X, y):
    """Every other row to train on, and the rest to validate with."""
    return X[::2], y[::2], X[1::2], y[1::2]


@pytest.mark.parametrize("solver", ["adamw", "rmsprop"])
def test_solver(solver, flowers):
    assert classifier(solver=solver, max_iter=60).fit(*flowers).score(*flowers) > 0.9


def test_weight_decay_shrinks_weights(waves):
    free, decaying = (regressor(solver="adamw", weight_decay=decay).fit(*waves) for decay in (0.0, 5.0))
    assert np.abs(decaying.coefs_[0]).sum() < np.abs(free.coefs_[0]).sum()


def test_dropout_is_off_in_prediction(waves):
    fitted = regressor(dropout=[0.5, 0.2]).fit(*waves)
    np.testing.assert_array_equal(fitted.predict(waves[0]), fitted.predict(waves[0]))
    assert [layer.dropout for layer in fitted.network_.architecture.layers] == [0.5, 0.2, 0.0]


@pytest.mark.parametrize("activation", ["leaky_relu", "elu", "gelu", "silu", ["logistic", "gelu"]])
def test_activation(activation, waves):
    names = [activation] * 2 if isinstance(activation, str) else ["sigmoid", "gelu"]
    fitted = regressor(activation=activation).fit(*waves)
    assert [layer.activation for layer in fitted.network_.architecture.layers] == [*names, "identity"]


def test_weights_before_a_logistic_layer_start_smaller(waves):
    fitted = regressor(activation=["logistic", "tanh"], max_iter=1, learning_rate_init=1e-12).fit(*waves)
    first, second = (np.abs(W).max() for W in fitted.coefs_[:2])
    assert np.sqrt(2 / 13) * 0.8 < first <= np.sqrt(2 / 13)
    assert np.sqrt(6 / 16) * 0.8 < second <= np.sqrt(6 / 16)


def test_an_output_activation_bounds_the_answers(waves):
    X, y = waves
    answers = regressor(output_activation="logistic").fit(X, (y > 0).astype(float)).predict(X)
    assert answers.min() >= 0 and answers.max() <= 1


@pytest.mark.parametrize("loss", ["absolute_error", "huber"])
def test_loss(loss, waves):
    fitted = regressor(loss=loss, max_iter=2).fit(*waves)
    assert fitted.network_.architecture.loss == loss


def test_absolute_error_finds_the_median():
    y = np.array([0.0, 0.0, 1.0, 100.0, 1000.0] * 20)
    options = {"learning_rate_init": 0.05, "max_iter": 200, "tol": 0, "random_state": 0}
    fitted = MLPRegressor("absolute_error", (), **options).fit(np.zeros((100, 1)), y)
    assert fitted.predict([[0.0]]) == pytest.approx([1.0], abs=0.1)


@pytest.mark.skipif("poisson" not in LOSSES, reason="the engine has no such loss yet")
def test_poisson_answers_are_positive(waves):
    X, y = waves
    fitted = regressor(loss="poisson").fit(X, np.floor(np.exp(y)))
    assert fitted.out_activation_ == "exp"
    assert (fitted.predict(X) > 0).all()


@pytest.mark.skipif("quantile" not in LOSSES, reason="the engine has no such loss yet")
def test_a_quantile_has_its_share_of_targets_below(waves):
    X, y = waves
    fitted = regressor(loss="quantile", quantile=0.9, max_iter=300, n_iter_no_change=300).fit(X, y)
    assert 0.8 < (y <= fitted.predict(X)).mean() < 1


def test_label_smoothing_makes_answers_less_sure(flowers):
    sure, less = (classifier(label_smoothing=share, max_iter=100).fit(*flowers) for share in (0.0, 0.3))
    assert less.predict_proba(flowers[0]).max() < sure.predict_proba(flowers[0]).max()
    assert less.score(*flowers) > 0.9


@pytest.mark.parametrize("classes", [2, 3])
def test_class_weight_draws_answers_to_a_class(classes, flowers):
    X, y = (part[: 50 * classes] for part in flowers)
    plain, weighted = (classifier(class_weight=weight).fit(X, y) for weight in (None, {"rose": 1000.0}))
    assert (weighted.predict(X) == "rose").sum() > (plain.predict(X) == "rose").sum()


def test_balanced_classes_count_the_same(flowers):
    X, y = flowers
    chosen = np.r_[0:50, 50:60, 100:150]
    balanced = classifier(class_weight="balanced").fit(X[chosen], y[chosen])
    factors = {"rose": 110 / 150, "tulip": 110 / 30, "daisy": 110 / 150}
    by_hand = classifier(class_weight=factors).fit(X[chosen], y[chosen])
    np.testing.assert_allclose(balanced.predict_proba(X), by_hand.predict_proba(X), rtol=1e-6)


def test_balanced_needs_all_samples(flowers):
    with pytest.raises(ArgumentError, match="partial_fit"):
        classifier(class_weight="balanced").partial_fit(*flowers, classes=np.unique(flowers[1]))


@pytest.mark.parametrize("make", [classifier, regressor])
def test_validation_curves_stand_beside_those_of_the_training(make, flowers, waves):
    X, y, X_val, y_val = half(*(flowers if make is classifier else waves))
    fitted = make().fit(X, y, X_val=X_val, y_val=y_val)
    metric = "val_accuracy" if make is classifier else "val_r2"
    assert {"loss", "val_loss", metric, "learning_rate", "seconds"} <= fitted.history_.keys()
    assert {len(column) for column in fitted.history_.values()} == {20}
    assert fitted.history_[metric][-1] == pytest.approx(fitted.score(X_val, y_val))


def test_the_loss_of_the_history_has_no_penalty(waves):
    X, y = waves
    fitted = regressor(alpha=10.0, max_iter=3).fit(X, y, X_val=X, y_val=y)
    assert fitted.history_["loss"][2] == pytest.approx(fitted.history_["val_loss"][1])
    assert fitted.loss_curve_[2] > fitted.history_["loss"][2]


def test_validation_samples_have_weights(waves):
    X, y, X_val, y_val = half(*waves)
    weights = (np.arange(len(X_val)) < 10).astype(float)
    weighted = regressor(max_iter=2).fit(X, y, X_val=X_val, y_val=y_val, sample_weight_val=weights)
    few = regressor(max_iter=2).fit(X, y, X_val=X_val[:10], y_val=y_val[:10])
    assert weighted.history_["val_loss"] == pytest.approx(few.history_["val_loss"])
    assert weighted.history_["val_r2"] == pytest.approx(few.history_["val_r2"])


@pytest.mark.parametrize("given", [{"X_val": [[0.0] * 5]}, {"y_val": [0.0]}, {"sample_weight_val": [1.0]}])
def test_validation_needs_samples_and_targets(given, waves):
    with pytest.raises(ArgumentError, match="X_val"):
        regressor().fit(*waves, **given)


def test_validation_weights_are_named_where_they_are_wrong(waves):
    with pytest.raises(ArgumentError, match="sample_weight_val"):
        regressor().fit(*waves, X_val=waves[0], y_val=waves[1], sample_weight_val=np.zeros(160))


@pytest.mark.parametrize(("early_stopping", "watched", "best"), [("loss", "val_loss", min), ("metric", "val_r2", max)])
def test_early_stopping_goes_back_to_the_best_epoch(early_stopping, watched, best, waves):
    X, y, X_val, y_val = half(*waves)
    options = {"early_stopping": early_stopping, "learning_rate_init": 0.05, "n_iter_no_change": 5, "max_iter": 300}
    fitted = regressor(**options).fit(X, y, X_val=X_val, y_val=y_val)
    curve = fitted.history_[watched]
    again = regressor(**options | {"max_iter": curve.index(best(curve)) + 1, "early_stopping": False}).fit(X, y)
    np.testing.assert_array_equal(fitted.coefs_[0], again.coefs_[0])
    assert fitted.n_iter_ < 300 and "has not improved" in fitted.stop_reason_


def test_a_schedule_changes_the_rate_of_every_solver(waves):
    for solver in ("sgd", "adam", "adamw", "rmsprop"):
        rates = regressor(solver=solver, schedule="cosine", max_iter=4).fit(*waves).history_["learning_rate"]
        assert rates == pytest.approx(0.01 * Cosine(4).factors(np.arange(4.0)))


def test_a_plateau_lowers_the_rate(waves):
    plateau = ReduceOnPlateau("loss", factor=0.5, patience=1, min_delta=1e9)
    rates = regressor(schedule=plateau, max_iter=4).fit(*waves).history_["learning_rate"]
    assert rates == pytest.approx([0.01, 0.01, 0.005, 0.0025])


def test_callbacks_see_the_training(waves):
    class Listener(Callback):
        def on_fit_start(self, run):
            self.losses = []

        def on_epoch_end(self, run):
            self.losses.append(run.history.loss[-1])
            if run.epoch == 3:
                run.stop("heard enough")

    listener = Listener()
    fitted = regressor(callbacks=[listener]).fit(*waves)
    assert (fitted.n_iter_, fitted.stop_reason_) == (3, "heard enough")
    assert listener.losses == fitted.history_["loss"]


def test_the_callback_early_stopping_works(waves):
    X, y, X_val, y_val = half(*waves)
    stopping = EarlyStopping(patience=2)
    options = {"callbacks": [stopping], "max_iter": 500, "learning_rate_init": 0.1}
    fitted = regressor(**options).fit(X, y, X_val=X_val, y_val=y_val)
    assert fitted.n_iter_ == stopping.best_epoch + 2


def test_standardized_features_are_learned_whatever_their_units(waves):
    X, y = waves
    units = np.array([1e-3, 1.0, 1e3, 1e5, 1.0])
    plain = regressor().fit((X - X.mean(axis=0)) / X.std(axis=0), y).predict((X - X.mean(axis=0)) / X.std(axis=0))
    inside = regressor(standardize=True).fit(X * units + 7, y).predict(X * units + 7)
    np.testing.assert_allclose(inside, plain, rtol=1e-6, atol=1e-8)


def test_any_number_of_threads_gives_the_same_bits(waves):
    one, two = (regressor(n_threads=threads, batch_size=50).fit(*waves) for threads in (1, 2))
    np.testing.assert_array_equal(one.coefs_[0], two.coefs_[0])


def test_activations_end_in_the_answers(waves):
    fitted = regressor().fit(*waves)
    held = fitted.activations(waves[0])
    assert [layer.shape for layer in held] == [(160, 5), (160, 8), (160, 8), (160, 1)]
    np.testing.assert_allclose(held[-1][:, 0], fitted.predict(waves[0]))


def test_badly_scaled_features_are_one_warning_with_numbers(waves):
    X, y = waves
    with pytest.warns(UserWarning, match="badly scaled") as caught:
        fitted = regressor(warm_start=True, n_iter_no_change=1, tol=1e9).fit(X * [1, 1, 5000, 1, 1], y)
        fitted.fit(X * [1, 1, 5000, 1, 1], y)
    assert len(caught) == 1
    size = np.sqrt(np.mean((5000 * X[:, 2]) ** 2))
    assert f"feature 2 is {size:.3g}" in str(caught[0].message)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 50.0])
def test_well_scaled_features_are_no_warning(scale, waves):
    regressor(max_iter=1).fit(waves[0] * scale, waves[1])  # a warning would be an error


def test_a_training_that_diverges_says_what_to_do(waves):
    told = r"in iteration \d+: .*learning rate of 1e\+06 and with features from -\d.* to \d.*learning_rate_init"
    with pytest.raises(DivergenceError, match=told):
        regressor(solver="sgd", learning_rate_init=1e6, activation="identity").fit(*waves)


def test_a_training_that_diverges_goes_back_to_the_best_weights(waves):
    options = {"solver": "sgd", "learning_rate_init": 1.5, "activation": "identity", "early_stopping": True}
    fitted = regressor(max_iter=100, **options).fit(*waves)
    assert np.isnan(fitted.validation_scores_[-1]) and "diverged" in fitted.stop_reason_
    assert np.isfinite(fitted.predict(waves[0])).all()


def test_verbose_prints_every_epoch(waves, capsys):
    regressor(verbose=True, max_iter=2).fit(*waves)
    assert capsys.readouterr().out.count("Iteration") == 2


def test_the_network_inside_can_be_saved(flowers, tmp_path):
    fitted = classifier().fit(*flowers)
    fitted.network_.save(tmp_path / "flowers.npz")
    assert load(tmp_path / "flowers.npz").predict(flowers[0]).tolist() == fitted.predict(flowers[0]).tolist()


def test_the_history_is_plain_numbers(waves):
    json.dumps(regressor(max_iter=2).fit(*waves).history_)


def test_one_class_is_answered_with():
    fitted = classifier(max_iter=2).fit([[0.0], [1.0]], ["only", "only"])
    assert fitted.predict([[5.0]]).tolist() == ["only"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hidden_layer_sizes": (8, 0)}, "hidden_layer_sizes"),
        ({"activation": "rellu"}, "did you mean 'relu'"),
        ({"activation": ["relu"]}, "each of 2"),
        ({"dropout": 1.0}, "dropout"),
        ({"dropout": [0.1]}, "dropout"),
        ({"dropout": 0.1, "solver": "lbfgs"}, "lbfgs"),
        ({"solver": "adams"}, "did you mean 'adam"),
        ({"alpha": -1.0}, "alpha"),
        ({"batch_size": 0}, "batch_size"),
        ({"learning_rate": "constent"}, "did you mean 'constant'"),
        ({"learning_rate_init": 0.0}, "learning_rate_init"),
        ({"max_iter": 0}, "max_iter"),
        ({"momentum": 1.1, "solver": "sgd"}, "momentum"),
        ({"early_stopping": "los"}, "did you mean 'loss'"),
        ({"validation_fraction": 1.0}, "validation_fraction"),
        ({"beta_1": 1.0}, "beta_1"),
        ({"n_iter_no_change": 0}, "n_iter_no_change"),
        ({"schedule": "cosin"}, "did you mean 'cosine'"),
        ({"schedule": "cosine", "solver": "lbfgs"}, "schedule"),
        ({"n_threads": 0}, "threads"),
        ({"loss": "hubert"}, "did you mean 'huber'"),
        ({"output_activation": "sigmoit"}, "did you mean 'sigmoid'"),
    ],
)
def test_a_parameter_that_can_not_be_used_is_named(options, message, waves):
    with pytest.raises(ArgumentError, match=message):
        regressor(**options).fit(*waves)


@pytest.mark.skipif("clip_norm" not in SGD().__dict__, reason="optimizers don't clip yet")
@pytest.mark.parametrize("solver", ["sgd", "rmsprop", "adam", "adamw"])
def test_clipping_reaches_the_optimizer(solver, waves):
    options = {"solver": solver, "max_iter": 1, "epsilon": 1.0, "weight_decay": 0.0}
    free, clipped = (regressor(clip_norm=norm, **options).fit(*waves).coefs_[0] for norm in (None, 1e-9))
    start = regressor(solver="sgd", max_iter=1, learning_rate_init=1e-20).fit(*waves).coefs_[0]
    assert np.abs(clipped - start).max() < 1e-8 < np.abs(free - start).max()


def test_momentum_may_be_one(waves):
    regressor(solver="sgd", momentum=1.0, learning_rate_init=1e-6).fit(*waves)
