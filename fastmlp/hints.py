"""Words of other libraries, and what to write here instead (floor 0).

People bring the words of scikit-learn, Keras, PyTorch and of the tutorials. Each is here once: names that a registry
doesn't know, arguments that a call doesn't take, options and commands. What is said is a remedy, not a translation: the
mathematics behind a word may differ by a factor, which the pages for those who come from other libraries tell.
"""

import re
from collections.abc import Iterable

_OPTIMIZERS = {
    "sgd": "gd gradientdescent stochasticgradientdescent minibatch batch",
    "rmsprop": "rms rmspropoptimizer",
    "adam": "adamoptimizer",
    "adamw": "adamweightdecay decoupledadam",
    "there is none here; 'rmsprop' comes nearest": "adagrad adadelta",
    "there is none here; 'adam' comes nearest": "nadam adamax radam lion lamb amsgrad yogi adabelief",
}

_NAMES = {
    "loss": {
        "squared_error": "mse meansquarederror mseloss l2 l2loss squared quadratic quadraticcost squareerror "
        "leastsquares sse rmse rootmeansquarederror",
        "absolute_error": "mae meanabsoluteerror l1 l1loss absolute",
        "cross_entropy": "categoricalcrossentropy sparsecategoricalcrossentropy crossentropyloss ce cce softmax xent "
        "softmaxcrossentropy nll nllloss negativeloglikelihood loglikelihood logloss multinomial",
        "binary_cross_entropy": "bce binarycrossentropyloss bceloss bcewithlogits bcewithlogitsloss "
        "sigmoidcrossentropy binarylogloss logistic logisticloss bernoulli",
        "huber": "huberloss smoothl1 smoothl1loss",
        "quantile": "pinball pinballloss quantileloss",
        "poisson": "poissonloss poissonnll poissonnllloss",
    },
    "activation": {
        "sigmoid": "logistic expit sigm logsig",
        "identity": "linear none lin purelin noactivation logits",
        "relu": "rectifier rectified rectifiedlinear rectifiedlinearunit ramp",
        "tanh": "tansig hyperbolictangent",
        "leaky_relu": "lrelu leaky prelu rrelu",
        "silu": "swish swish1 mish",
        "gelu": "gelunew geluapproximate gelutanh",
        "softmax": "logsoftmax",
        "exponential": "exp",
    },
    "solver": _OPTIMIZERS,
    "optimizer": _OPTIMIZERS
    | {
        "optimizer=SGD(0.01, momentum=0.9)": "momentum sgdmomentum sgdwithmomentum heavyball",
        "optimizer=SGD(0.01, momentum=0.9, nesterov=True)": "nesterov nag sgdnesterov nesterovmomentum",
        "fastmlp.estimators have it: MLPClassifier(solver='lbfgs')": "lbfgs bfgs newton",
    },
    "scaling": {
        "pixels": "minmax minmaxscaler normalize normalise 01 unit rescale rescaling 255 divide",
        "standardize": "standard standardise standardscaler standardization zscore",
        "scaling=None": "none off",
    },
    "schedule": {
        "step": "steps steplr multistep multisteplr piecewise piecewiseconstant stepdecay",
        "exponential": "exp exponentiallr exponentialdecay",
        "linear": "linearlr lineardecay polynomial polynomiallr polynomialdecay inversetimedecay",
        "cosine": "cosineannealing cosineannealinglr cosinedecay cosinelr",
        "one_cycle": "onecyclelr superconvergence",
        "constant": "none fixed constantlr",
        "callbacks=[ReduceOnPlateau()]": "plateau reduceonplateau reducelronplateau adaptive",
    },
    "initializer": {
        "xavier_uniform": "xavier glorot glorotuniform",
        "xavier_normal": "glorotnormal",
        "he_uniform": "he kaiming kaiminguniform",
        "he_normal": "kaimingnormal",
        "lecun_normal": "lecun",
        "normal": "random randn randomnormal gaussian truncatednormal",
        "uniform": "rand randomuniform",
        "auto": "default",
    },
    "monitor": {
        "accuracy": "acc trainacc trainaccuracy",
        "loss": "trainloss trainingloss",
        "val_accuracy": "valacc validationaccuracy testaccuracy",
        "val_loss": "validationloss testloss",
    },
    "engine": {
        "numba": "cpu jit njit compiled simd fast llvm",
        "numpy": "np reference python slow",
        "there is none for it; fastmlp runs on the CPU, 'numba' is the fast engine": "gpu cuda mps tpu torch jax",
    },
    "augmentation": {"digits": "mnist digit handwriting affine"},
    "recipe": {"keras": "mnist default tensorflow", "three-blue-one-brown": "3blue1brown 3b1b"},
    "dtype": {"float32": "single float 32", "float64": "double 64"},
}
"""By kind, and by what to write, the words that others use for it: lower case, letters and digits only."""

_OF_THE_OPTIMIZER = "the learning rate is the optimizer's: fit(..., optimizer=Adam({}))"
_OF_A_FIT = "it belongs to the training: fit(..., {name}={})"
_ONE_LIST = "all sizes go into the first argument, inputs and outputs too: Network([784, 128, 10])"

_ARGUMENTS = {
    "Network": {
        _ONE_LIST: "hidden_layer_sizes hidden_sizes hidden_dims hidden_dim hidden_size hidden_units hidden_layers "
        "units sizes layer_sizes dims input_shape input_dim input_size n_inputs in_features n_features n_in "
        "output_size output_dim n_outputs out_features n_classes num_classes n_out",
        _OF_THE_OPTIMIZER: "learning_rate lr eta learning_rate_init",
        _OF_A_FIT: "optimizer epochs batch_size schedule callbacks verbose shuffle validation_split class_weight "
        "sample_weight augment engine threads",
        "it belongs to the training: fit(..., optimizer={})": "solver",
        "it belongs to the training: fit(..., epochs={})": "max_iter n_epochs",
        "hidden": "activation activations hidden_activation act",
        "output": "output_activation out_activation last_activation final_activation",
        "loss": "criterion cost objective loss_fn loss_function loss_func",
        "seed": "random_state random_seed rng",
        "l2": "alpha regularization reg lambda_ lmbda weight_penalty l2_reg",
        "bias": "use_bias fit_intercept biases",
        "initializer": "kernel_initializer weight_init init weights_initializer",
        "scaling": "normalize normalization standardize scaler scale",
        "dtype": "precision",
        "the optimizer has it: fit(..., optimizer=AdamW(weight_decay={}))": "weight_decay",
        "the optimizer has it: fit(..., optimizer=SGD(0.01, momentum={}))": "momentum",
        "layers have it: Network([784, Dense(128, dropout={}), 10])": "dropout dropout_rate",
        "evaluate(X, y) gives loss and accuracy, and the history those of every epoch": "metrics",
        "fastmlp runs on the CPU; leave it out": "device",
    },
    "Network.fit": {
        "X_val=X_new, y_val=y_new": "validation_data val_data valid_data eval_set test_data X_test y_test",
        "the learning rate is the optimizer's: optimizer=Adam({})": "learning_rate lr eta learning_rate_init step_size",
        "the optimizer has it: optimizer=SGD(0.01, momentum={})": "momentum",
        "the optimizer has it: optimizer=AdamW(weight_decay={})": "weight_decay",
        "the optimizer has it: optimizer=Adam(clip_norm={})": "clip_norm clipnorm max_grad_norm",
        "the network has it: Network(..., loss={})": "loss criterion loss_fn",
        "the network has it: Network(..., seed={})": "seed random_state random_seed",
        "the network has it: Network(..., {name}={})": "l1 l2 scaling dtype hidden output label_smoothing",
        "the network has it: Network(..., l2={})": "alpha lmbda regularization",
        "callbacks=[EarlyStopping(patience={})]": "patience",
        "callbacks=[EarlyStopping()]": "early_stopping",
        "the history has loss and accuracy of every epoch": "metrics metric",
        "fastmlp runs on the CPU; leave it out": "device",
        "epochs": "n_epochs num_epochs nb_epoch nb_epochs max_iter n_iter iterations steps epoch",
        "batch_size": "mini_batch_size minibatch_size batchsize bs",
        "X": "x features data inputs",
        "y": "Y labels targets target",
        "optimizer": "solver optim",
        "schedule": "scheduler lr_scheduler lr_schedule",
        "validation_split": "validation_fraction val_split test_size",
        "threads": "n_jobs n_threads num_threads workers num_workers nthreads",
        "engine": "backend",
        "augment": "augmentation augmentations transform",
        "resume_from": "resume checkpoint initial_checkpoint",
        "leave it out: fit goes on where the last one stopped": "initial_epoch warm_start",
    },
    "find_learning_rate": {
        "lowest": "start_lr min_lr init_value lr_min start_learning_rate",
        "highest": "end_lr max_lr final_value lr_max end_learning_rate",
        "steps": "num_iter num_training iterations n_steps num_steps",
        "net": "network model",
        "the search chooses the rates: leave it out, or give lowest and highest": "learning_rate lr",
        "the search counts steps, not epochs: steps=100": "epochs",
        "batch_size": "batch bs",
    },
    "Network.evaluate": {
        "leave it out: evaluate prints nothing, and chooses its batches itself": "verbose batch_size",
        "X": "x",
        "y": "Y labels targets",
        "evaluate returns loss and accuracy; leave it out": "metrics return_dict",
    },
    "Dense": {
        "units": "out_features n_units size output_dim n_neurons",
        "activation": "act activation_function",
        "dropout": "rate dropout_rate drop_rate p",
        "bias": "use_bias",
        "initializer": "kernel_initializer weight_init init",
        "a layer takes what the one before gives: Network([784, Dense(128), 10])": "input_shape input_dim in_features",
        "the network has it: Network(..., l2=...)": "kernel_regularizer l2",
    },
    "optimizers": {
        "learning_rate": "lr eta learning_rate_init step_size rate",
        "beta_1": "beta1 b1",
        "beta_2": "beta2 b2",
        "beta_1=..., beta_2=...": "betas",
        "epsilon": "eps",
        "decay": "rho alpha",
        "weight_decay": "wd",
        "clip_norm": "clipnorm global_clipnorm max_norm max_grad_norm grad_clip gradient_clip",
        "fit(..., schedule={}) changes the learning rate": "schedule lr_decay",
        "the network has it: Network(..., l2={})": "l2",
        "there is no such variant here; leave it out": "amsgrad centered dampening foreach fused maximize",
        "fit gives an optimizer its parameters; leave them out": "params parameters",
    },
    "callbacks": {
        "restore_best": "restore_best_weights",
        "path": "filepath filename file",
        "every": "save_freq period every_n_epochs",
        "monitor='val_loss'": "save_best_only save_best",
        "keep": "save_top_k max_to_keep",
        "min_delta": "tol threshold",
        "min_learning_rate": "min_lr",
        "a loss is to fall and an accuracy to rise; leave it out": "mode",
        "fit(..., verbose={}) has it": "verbose",
        "baseline and start are not there; leave it out": "baseline start_from_epoch cooldown",
        "values are separated by commas; leave it out": "separator sep delimiter",
    },
}
"""By call, and by what to write, the arguments that others have for it. ``{}`` stands for the value that was given."""

_OPTIMIZERS_OF = {"SGD": "optimizers", "RMSprop": "optimizers", "Adam": "optimizers", "AdamW": "optimizers"}
_CALLBACKS_OF = dict.fromkeys(("EarlyStopping", "Checkpoint", "CSVLogger", "ReduceOnPlateau"), "callbacks")
_SHARED = _OPTIMIZERS_OF | _CALLBACKS_OF

OPTIONS = {
    "--learning-rate": "--lr --eta --rate --learning_rate",
    "--epochs": "--epoch --n-epochs --num-epochs --max-iter --iterations -e",
    "--batch-size": "--batch --bs --batch_size --minibatch -b",
    "--optimizer": "--optim --opt --solver",
    "--schedule": "--scheduler --lr-scheduler --lr-schedule",
    "--hidden": "--layers --units --hidden-layers --hidden-units --hidden-sizes --hidden-layer-sizes",
    "--activation": "--act --hidden-activation --activation-function",
    "--dropout": "--dropout-rate --drop",
    "--loss": "--criterion --cost --objective --loss-function",
    "--l2": "--lambda --lmbda --regularization --l2-penalty",
    "--rows": "--n-rows --limit --samples --n-samples --train-rows --subset",
    "--python": "--script --py --code",
    "--seed": "--random-state --random-seed",
    "--engine": "--backend --device",
    "--threads": "--jobs --n-jobs --workers --num-workers --n-threads --cores -j",
    "--out": "--output --save --model --save-path --output-dir -o",
    "--data": "--dataset --data-dir --data-path --folder --input",
    "--plots": "--plot",
    "--open": "--browser --open-browser",
    "--force": "--overwrite -f",
    "--json": "--output-json --file",
}
"""By option the words that others have for it."""

COMMANDS = {
    "train": "fit learn run",
    "compare": "grid search sweep tune hyperparameters",
    "evaluate": "test eval score validate accuracy",
    "predict": "infer classify recognise recognize inference",
    "plot": "draw show visualise visualize graph",
    "serve": "web page gui server ui demo",
    "convert": "export save to",
    "warmup": "compile precompile warm cache",
    "bench": "benchmark time speed",
    "recipes": "models networks list examples",
}
"""By command the words that others have for it."""


def _turned(table: dict[str, str]) -> dict[str, str]:
    return {word: ours for ours, words in table.items() for word in words.split()}


def _letters(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower())


def for_name(kind: str, name: object, choices: Iterable[str]) -> str | None:
    """Return what to write for a name that is unknown here; None where nobody is known to use it.

    Examples
    --------
    >>> for_name("loss", "categorical_crossentropy", ["cross_entropy"])
    "did you mean 'cross_entropy'?"
    >>> for_name("optimizer", "momentum", ["sgd"])
    'write optimizer=SGD(0.01, momentum=0.9)'
    """
    if kind == "learning_rate" and isinstance(name, int | float):  # of an estimator, where it is a word
        return f"give learning_rate_init={name!r}"
    if not isinstance(name, str) and not (name is None and kind == "activation"):
        return None
    word, known = _letters(str(name)), list(choices)
    for choice in known:
        if word and word == _letters(choice):
            return f"did you mean {choice!r}?"
    ours = _turned(_NAMES.get(kind, {})).get(word)
    if ours in known:
        return f"did you mean {ours!r}?"
    return None if ours is None or ours.isidentifier() else _remedy(ours)


def for_argument(call: str, name: str, value: object, known: Iterable[str]) -> str | None:
    """Return what to write for an argument that a call doesn't take; None where nobody is known to have it.

    Examples
    --------
    >>> for_argument("Network.fit", "lr", 0.1, ["X", "y", "epochs"])
    "the learning rate is the optimizer's: optimizer=Adam(0.1)"
    >>> for_argument("SGD", "lr", 0.1, ["learning_rate"])
    'write learning_rate=0.1'
    """
    ours = _turned(_ARGUMENTS.get(_SHARED.get(call, call), {})).get(name)
    if ours is None:
        return None
    shown = repr(value) if isinstance(value, int | float | str) else "..."
    if ours in known:
        return f"write {ours}={shown}"
    if ours.isidentifier():  # another of those that share a table has it
        return None
    return _remedy(ours.replace("{name}", name).replace("{}", shown))


def _remedy(ours: str) -> str:
    return f"write {ours}" if re.match(r"\w+=", ours) else ours


def for_option(option: str, known: Iterable[str]) -> str | None:
    """Return our option for one of others, if it is among those that are known."""
    ours = _turned(OPTIONS).get(option, "")
    return ours if ours in known else None


def for_command(command: str) -> str | None:
    """Return our command for one of others."""
    return _turned(COMMANDS).get(command)
