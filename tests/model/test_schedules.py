import copy
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp import SGD, Adam, Callback, Dense, EarlyStopping, Network, ReduceOnPlateau, load
from fastmlp.engines import numpy_engine
from fastmlp.errors import ArgumentError, ArgumentTypeError, TrainingError
from fastmlp.model.schedules import (
    SCHEDULES,
    Constant,
    Cosine,
    Exponential,
    Linear,
    OneCycle,
    Schedule,
    Step,
    WarmUp,
    get_schedule,
)
from fastmlp.training import rules

lengths = st.integers(1, 200) | st.floats(0.01, 200)
shares = st.floats(0, 1)
ratios = st.floats(0.001, 1)
inner = st.floats(0.01, 0.99)
ending = st.builds(Linear, lengths, shares) | st.builds(Cosine, lengths, shares)
cycles = st.builds(OneCycle, lengths, inner, shares, shares)
smooth = ending | cycles | st.builds(Exponential, ratios) | st.just(Constant())
simple = smooth | st.builds(Step, lengths, ratios)
schedules = simple | st.builds(WarmUp, lengths, simple, shares)
positions = st.lists(st.floats(0, 1000), min_size=1, max_size=50).map(np.array)


def at(schedule, *places):
    return schedule.factors(np.array(places, dtype=np.float64))


# Laws


@given(schedules, positions)
def test_factors_are_shares_of_the_optimizers_rate(schedule, places):
    factors = schedule.factors(places)
    assert factors.dtype == np.float64
    assert factors.shape == places.shape
    assert (factors >= 0).all() and (factors <= 1).all()


@given(schedules, positions, st.data())
def test_each_position_stands_for_itself(schedule, places, data):
    cut = data.draw(st.integers(0, len(places)))
    parts = [schedule.factors(places[:cut]), schedule.factors(places[cut:])]
    np.testing.assert_allclose(np.concatenate(parts), schedule.factors(places), rtol=1e-14, atol=1e-16)


@given(schedules, positions)
def test_the_positions_are_left_as_they_were(schedule, places):
    before = places.copy()
    schedule.factors(places)
    np.testing.assert_array_equal(places, before)


@given(ending | st.builds(Step, lengths, ratios) | st.builds(Exponential, ratios), positions)
def test_a_decay_starts_at_the_optimizers_rate_and_never_rises(schedule, places):
    assert at(schedule, 0.0) == 1
    assert (np.diff(schedule.factors(np.sort(places))) <= 1e-15).all()


@given(ending | cycles, st.floats(0, 1000))
def test_after_its_end_the_last_factor_stays(schedule, later):
    assert at(schedule, schedule.epochs, schedule.epochs + later).tolist() == [schedule.final] * 2


@given(lengths, simple, shares, positions)
def test_after_a_warm_up_the_other_schedule_runs_its_course(epochs, then, start, places):
    found = WarmUp(epochs, then, start).factors(epochs + places)
    np.testing.assert_array_equal(found, then.factors((epochs + places) - epochs))


@given(cycles)
def test_a_cycle_goes_up_to_the_optimizers_rate_and_down(schedule):
    top = schedule.warm_up * schedule.epochs
    assert at(schedule, 0.0) == pytest.approx(schedule.start, abs=1e-15)
    assert at(schedule, top) == pytest.approx(1)
    assert (np.diff(schedule.factors(np.linspace(0, top, 50))) >= -1e-15).all()
    assert (np.diff(schedule.factors(np.linspace(top, 2 * schedule.epochs, 50))) <= 1e-15).all()


@given(lengths, smooth, shares)
def test_a_warm_up_rises_to_where_the_other_schedule_starts(epochs, then, start):
    schedule = WarmUp(epochs, then, start)
    first = at(then, 0.0)[0]
    assert at(schedule, 0.0) == pytest.approx(start * first)
    assert at(schedule, epochs / 2) == pytest.approx((start + 1) / 2 * first)
    assert at(schedule, epochs) == first


@given(smooth | st.builds(WarmUp, lengths, smooth, shares), st.data())
def test_but_for_steps_no_rate_jumps(schedule, data):
    joints = [schedule.epochs] if hasattr(schedule, "epochs") else []
    joints += [schedule.epochs * schedule.warm_up] if hasattr(schedule, "warm_up") else []
    joint = data.draw(st.sampled_from([*joints, 1.0, 10.0]))
    before, after = at(schedule, joint * (1 - 1e-9), joint * (1 + 1e-9))
    assert after == pytest.approx(before, abs=1e-3)


@given(lengths, ratios, st.integers(0, 20))
def test_between_two_drops_the_rate_stays(every, factor, drops):
    within = (drops + np.array([0.001, 0.5, 0.999])) * every
    np.testing.assert_allclose(Step(every, factor).factors(within), factor**drops, rtol=1e-12)


@given(ratios, st.floats(0, 100), st.floats(0, 100))
def test_an_exponential_turns_sums_into_products(factor, a, b):
    first, second, both = at(Exponential(factor), a, b, a + b)
    assert both == pytest.approx(first * second, rel=1e-9)


@given(lengths, shares, inner)
def test_a_cosine_is_symmetric_about_its_middle(epochs, final, share):
    early, late = at(Cosine(epochs, final), share * epochs, (1 - share) * epochs)
    assert early + late == pytest.approx(1 + final)


# By hand


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Constant(), [1, 1, 1, 1, 1]),
        (Step(2), [1, 1, 0.1, 0.01, 0.00001]),
        (Exponential(0.5), [1, 0.5, 0.25, 0.0625, 2**-10]),
        (Linear(4, final=0.2), [1, 0.8, 0.6, 0.2, 0.2]),
        (Cosine(4), [1, (1 + math.sqrt(0.5)) / 2, 0.5, 0, 0]),
        (Cosine(4, final=0.5), [1, (3 + math.sqrt(0.5)) / 4, 0.75, 0.5, 0.5]),
        (OneCycle(4, warm_up=0.5, start=0.2), [0.2, 0.6, 1, 0, 0]),
        (WarmUp(2, start=0), [0, 0.5, 1, 1, 1]),
        (WarmUp(2, Step(2, 0.5), start=0), [0, 0.5, 1, 0.5, 0.0625]),
        (WarmUp(1, WarmUp(1, start=0.5), start=0), [0, 0.5, 1, 1, 1]),
    ],
    ids=repr,
)
def test_factors_by_hand(schedule, expected):
    np.testing.assert_allclose(at(schedule, 0, 1, 2, 4, 10), expected, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_name_is_made_for_so_many_epochs(name):
    schedule = get_schedule(name, 30)
    assert get_schedule(schedule, 7) is schedule
    middle = at(schedule, 3, 9, 15, 30)
    expected = {
        "constant": [1, 1, 1, 1],
        "step": [1, 1, 0.1, 0.001],
        "exponential": [0.01**0.1, 0.01**0.3, 0.1, 0.01],
        "linear": [0.9, 0.7, 0.5, 0],
        "cosine": (1 + np.cos(np.pi * np.array([0.1, 0.3, 0.5, 1]))) / 2,
        "one_cycle": [0.04 + 0.96 * 0.25, 1, (1 + math.cos(math.pi * 2 / 7)) / 2, 0],
        "warm_up": [1, 1, 1, 1],
    }
    np.testing.assert_allclose(middle, expected[name], rtol=1e-12, atol=1e-15)


def test_numbers_of_numpy_become_pythons():
    assert repr(Cosine(np.int64(3), np.float64(0.5))) == "Cosine(epochs=3, final=0.5)"


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_are_values(name):
    schedule = get_schedule(name, 5)
    assert schedule == pickle.loads(pickle.dumps(schedule)) == copy.deepcopy(schedule)
    assert hash(schedule) == hash(get_schedule(name, 5))


@pytest.mark.parametrize(
    ("make", "error", "word"),
    [
        (lambda: get_schedule("cosin", 5), ArgumentError, "did you mean 'cosine'"),
        (lambda: get_schedule("Cosine", 5), ArgumentError, "did you mean 'cosine'"),
        (lambda: get_schedule(0.1, 5), ArgumentTypeError, "schedule must be a name"),
        (lambda: get_schedule(Cosine, 5), ArgumentTypeError, "an object such as Cosine"),
        (lambda: Step(0), ArgumentError, "every of Step must be a number of epochs above 0, got 0"),
        (lambda: Step(3, factor=0), ArgumentError, "factor of Step"),
        (lambda: Step(3, factor=10), ArgumentError, "factor of Step must be above 0 and at most 1"),
        (lambda: Exponential(1.1), ArgumentError, "factor of Exponential"),
        (lambda: Exponential(math.nan), ArgumentError, "factor of Exponential"),
        (lambda: Linear(-1), ArgumentError, "epochs of Linear"),
        (lambda: Cosine(math.inf), ArgumentError, "epochs of Cosine"),
        (lambda: Cosine("ten"), ArgumentTypeError, "epochs of Cosine"),
        (lambda: Cosine(True), ArgumentTypeError, "epochs of Cosine"),
        (lambda: Cosine(10, final=1.5), ArgumentError, "final of Cosine.*share of the optimizer's learning rate"),
        (lambda: OneCycle(10, warm_up=0), ArgumentError, "warm_up of OneCycle"),
        (lambda: OneCycle(10, warm_up=1), ArgumentError, "warm_up of OneCycle"),
        (lambda: OneCycle(10, start=-0.1), ArgumentError, "start of OneCycle"),
        (lambda: WarmUp(0), ArgumentError, "epochs of WarmUp"),
        (
            lambda: WarmUp(1, then="cosine"),
            ArgumentTypeError,
            r"then of WarmUp must be a schedule such as Cosine\(10\)",
        ),
        (lambda: WarmUp(1, then=Cosine), ArgumentTypeError, "then of WarmUp"),
    ],
)
def test_bad_arguments_are_told(make, error, word):
    with pytest.raises(error, match=word):
        make()


# Training

EVERY = [
    Constant(),
    Step(2, 0.5),
    Exponential(0.8),
    Linear(6, 0.1),
    Cosine(5),
    OneCycle(5),
    WarmUp(1.5, then=Cosine(4)),
]
every_schedule = pytest.mark.parametrize("schedule", EVERY, ids=repr)


def network():
    return Network([6, Dense(8, dropout=0.3), 3], seed=3)


def fit(net, epochs, engine="numpy", **options):
    generator = np.random.default_rng(1)
    X, y = generator.integers(0, 256, (50, 6), dtype=np.uint8), generator.integers(0, 3, 50)
    return net.fit(X, y, epochs=epochs, batch_size=7, engine=engine, verbose=0, **options)


def same(a, b):
    return (
        np.array_equal(a.state.parameters, b.state.parameters)
        and all(map(np.array_equal, a.state.moments, b.state.moments))
        and a.state.generator.bit_generator.state == b.state.generator.bit_generator.state
        and (a.state.step, a.state.epoch) == (b.state.step, b.state.epoch)
        and a.history.loss == b.history.loss
        and a.history.learning_rate == b.history.learning_rate
    )


@every_schedule
@pytest.mark.parametrize("work", [1e10, 1.0])
def test_every_step_has_its_rate(monkeypatch, schedule, work):
    monkeypatch.setattr(rules, "_WORK_PER_CALL", work)
    given, original = [], numpy_engine.train_epoch

    def recording(*arguments, **options):
        given.extend(arguments[6].tolist())
        return original(*arguments, **options)

    monkeypatch.setattr(numpy_engine, "train_epoch", recording)
    history = fit(network(), 7, optimizer=SGD(0.5), schedule=schedule)
    steps = np.array([[epoch + step / 8 for step in range(8)] for epoch in range(7)])
    np.testing.assert_allclose(given, 0.5 * schedule.factors(steps.ravel()), rtol=1e-14)
    assert history.learning_rate == given[7::8]


@every_schedule
@pytest.mark.parametrize("optimizer", [SGD(0.5, momentum=0.9, weight_decay=0.01), Adam()], ids=repr)
def test_two_fits_equal_one(engine, schedule, optimizer):
    whole, parts = network(), network()
    fit(whole, 5, engine, schedule=schedule, optimizer=optimizer)
    for epochs in (3, 2):
        fit(parts, epochs, engine, schedule=schedule, optimizer=optimizer)
    assert same(whole, parts)


@every_schedule
def test_a_loaded_network_goes_on_with_the_schedule(tmp_path, schedule):
    whole, saved = network(), network()
    fit(whole, 5, schedule=schedule)
    fit(saved, 3, schedule=schedule)
    saved.save(tmp_path / "net.npz")
    for parts in (load(tmp_path / "net.npz"), pickle.loads(pickle.dumps(saved))):
        fit(parts, 2, schedule=schedule)
        assert same(whole, parts)


def test_an_interrupted_fit_goes_on_with_the_schedule():
    class Interrupting(Callback):
        def on_epoch_start(self, run):
            if run.epoch == 4:
                raise KeyboardInterrupt

    whole, parts = network(), network()
    fit(whole, 5, schedule=Cosine(5))
    assert fit(parts, 5, schedule=Cosine(5), callbacks=[Interrupting()]).epochs == 3
    fit(parts, 2, schedule=Cosine(5))
    assert same(whole, parts)


@pytest.mark.parametrize("schedule", [None, "constant", Constant()])
def test_a_constant_schedule_is_none(schedule):
    plain, scheduled = network(), network()
    fit(plain, 2)
    fit(scheduled, 2, schedule=schedule)
    assert same(plain, scheduled)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_name_takes_the_epochs_of_its_fit_and_starts_with_it(name):
    net = network()
    expected = 0.5 * get_schedule(name, 4).factors(np.arange(4) + 7 / 8)
    for _ in range(2):
        np.testing.assert_allclose(fit(net, 4, optimizer=SGD(0.5), schedule=name).learning_rate, expected)


def test_training_is_gradient_descent_at_the_rates_of_the_schedule(engine):
    generator = np.random.default_rng(1)
    X, y = generator.normal(size=(50, 6)), generator.integers(0, 3, 50)
    trained, by_hand = (Network([6, 8, 3], dtype="float64", l2=0.01, seed=0) for _ in range(2))
    trained.fit(
        *(X, y), epochs=2, batch_size=20, shuffle=False, optimizer=SGD(0.1), engine=engine, verbose=0, schedule="cosine"
    )
    for step in range(6):
        rate = 0.1 * (1 + math.cos(math.pi * step / 6)) / 2
        rows = slice(step % 3 * 20, step % 3 * 20 + 20)
        gradient = by_hand.gradient(X[rows], y[rows], engine=engine)[1]
        by_hand.set_weights(
            [(W - rate * dW, b - rate * db) for (W, b), (dW, db) in zip(by_hand.weights, gradient, strict=True)]
        )
    np.testing.assert_allclose(trained.state.parameters, by_hand.state.parameters, rtol=1e-12, atol=1e-14)


def test_a_callback_and_a_schedule_are_multiplied():
    class Halving(Callback):
        def on_epoch_end(self, run):
            run.learning_rate /= 2

    history = fit(network(), 3, optimizer=SGD(0.8), schedule=Step(1, 0.1), callbacks=[Halving()])
    assert history.learning_rate == pytest.approx([0.8, 0.04, 0.002])


def test_a_schedule_of_ones_own():
    class Inverse(Schedule):
        def factors(self, positions):
            return 1 / (1 + np.floor(positions))

    history = fit(network(), 4, optimizer=SGD(0.6), schedule=Inverse())
    assert history.learning_rate == pytest.approx([0.6, 0.3, 0.2, 0.15])


@pytest.mark.parametrize(
    ("wrong", "error", "word"),
    [
        (lambda positions: 1.0, ArgumentError, "one a position"),
        (lambda positions: -positions - 1, ArgumentError, "finite and >= 0, got -1 at position 0"),
        (lambda positions: positions * math.nan, ArgumentError, "finite"),
        (lambda positions: positions > 0, ArgumentTypeError, "must be numbers"),
        (lambda positions: None, ArgumentTypeError, "must be numbers"),
    ],
)
def test_wrong_factors_are_told_before_training(wrong, error, word):
    class Wrong(Schedule):
        def factors(self, positions):
            return wrong(positions)

    net = network()
    with pytest.raises(error, match=f"factors of .*Wrong.*{word}"):
        fit(net, 1, schedule=Wrong())
    assert net.labels is None


def test_factors_that_go_wrong_later_leave_the_finished_epochs():
    class Wrong(Schedule):
        def factors(self, positions):
            return np.where(positions == 2 + 1 / 8, math.inf, 1.0)

    whole, net = network(), network()
    with pytest.raises(ArgumentError, match=r"got inf at position 2\.125"):
        fit(net, 3, schedule=Wrong())
    fit(whole, 2)
    assert same(whole, net)


@pytest.mark.parametrize("schedule", [Cosine(3), Linear(2), OneCycle(1), WarmUp(1, Cosine(1))], ids=repr)
def test_a_schedule_that_is_over_is_told(schedule):
    net = network()
    fit(net, 3)
    with pytest.raises(ArgumentError, match=r"a learning rate of 0 .*the 3 epochs .*reaches to epoch 5"):
        fit(net, 2, schedule=schedule)
    assert net.history.epochs == 3


def test_a_schedule_that_ends_above_zero_goes_on():
    net = network()
    fit(net, 3)
    assert fit(net, 2, optimizer=SGD(0.5), schedule=Cosine(3, final=0.2)).learning_rate == [0.1, 0.1]


@pytest.mark.parametrize(
    ("schedule", "error", "word"),
    [
        ("cosin", ArgumentError, "unknown schedule 'cosin'; did you mean 'cosine'"),
        (3, ArgumentTypeError, "schedule must be a name"),
        (ReduceOnPlateau("loss"), ArgumentTypeError, r"callbacks=\[ReduceOnPlateau\("),
        (EarlyStopping(), ArgumentTypeError, "callback"),
    ],
)
def test_a_bad_schedule_is_told_before_training(schedule, error, word):
    net = network()
    with pytest.raises(error, match=word):
        fit(net, 1, schedule=schedule)
    assert net.labels is None


def test_divergence_tells_the_rates():
    net = Network([2, 1], loss="squared_error", scaling=None, seed=0)
    X, y = np.arange(20.0).reshape(10, 2) * 1e3, np.arange(10.0)
    with pytest.raises(TrainingError, match=r"learning rates from \d\S* to 1000, features from"):
        net.fit(X, y, epochs=9, optimizer=SGD(1e3), schedule="linear", batch_size=1, verbose=0, engine="numpy")
