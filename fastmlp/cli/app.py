"""The commands with their options and help texts (floor 11; imports typer, errors, hints, measure, web)."""

import errno
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from .. import hints
from ..errors import FastMLPError

_ENGINE = "numba (SIMD kernels), loops (plain compiled loops), numpy (reference) or auto."
_MODEL_DATA = "Folder with four IDX files like MNIST's, or a CSV file with a label and pixels in each row."
_MODEL = "A saved .npz, .json, .safetensors or .onnx file, or the folder of a run."
_PIXELS = "Pixel range that the network expects, background..ink: 0..1, -1..1, 0..255 or another."
_LOGITS = "Treat the outputs as logits, and apply softmax."
_RECIPES = "the recipe's"
_ASSUMED = "read from the file, otherwise guessed"


class _Command(TyperCommand):
    """Knows what others call the options."""

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            option = getattr(error, "option_name", None)  # of click's NoSuchOption, which Typer may have from elsewhere
            known = [name for parameter in self.params for name in parameter.opts]
            if isinstance(option, str) and (ours := hints.for_option(option, known)):
                ctx.fail(f"No such option: {option}. Did you mean {ours}?")
            raise


class _Group(TyperGroup):
    """Turns errors that a user can do something about into one line on standard error."""

    def make_context(self, *arguments: Any, **more: Any) -> Any:
        try:
            return super().make_context(*arguments, **more)
        except KeyboardInterrupt:
            _fail("interrupted", 130)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        ours = hints.for_command(args[0])
        if ours and args[0] not in self.commands:
            ctx.fail(f"No such command {args[0]!r}. Did you mean {ours!r}?")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except FastMLPError as error:
            _fail(str(error), 2)
        except KeyboardInterrupt:
            _fail("interrupted", 130)
        except OSError as error:
            if error.errno == errno.EPIPE:  # whoever read our pipe has gone, which Typer handles
                raise
            _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error), 2)


def _fail(message: str, code: int) -> NoReturn:
    typer.secho(f"error: {message}", fg="red", err=True)
    raise typer.Exit(code) from None


app = typer.Typer(
    name="fastmlp",
    cls=_Group,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help is there in half the time
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from .. import __version__

        typer.echo(f"fastmlp {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Train multilayer perceptrons fast on a CPU.

    Start with "fastmlp train". It trains a network on MNIST, which is included, and saves the network.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command(cls=_Command)
def train(
    recipe: Annotated[
        str | None,
        typer.Argument(metavar="RECIPE", help='Name of a recipe; "fastmlp recipes" lists them.', show_default="keras"),
    ] = None,
    data: Annotated[str | None, typer.Option(metavar="PATH", help=_MODEL_DATA, show_default="MNIST, built in")] = None,
    epochs: Annotated[
        int | None, typer.Option(metavar="N", help="Passes over the training rows.", show_default="the recipe's")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(metavar="N", help="Rows per batch.", show_default="the recipe's")
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(metavar="X", help="Learning rate.", show_default="the recipe's, or the new optimizer's"),
    ] = None,
    optimizer: Annotated[
        str | None, typer.Option(metavar="NAME", help="sgd, rmsprop, adam or adamw.", show_default="the recipe's")
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Learning-rate schedule: constant, step, exponential, linear, cosine, one_cycle or warm_up.",
            show_default="the recipe's",
        ),
    ] = None,
    momentum: Annotated[
        float | None,
        typer.Option(metavar="X", help="Momentum of sgd: at least 0, below 1.", show_default="the recipe's"),
    ] = None,
    hidden: Annotated[
        str | None,
        typer.Option(
            metavar="UNITS", help="Units of the hidden layers, such as 128,64, or none.", show_default="the recipe's"
        ),
    ] = None,
    activation: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Activation of the hidden layers: identity, sigmoid, tanh, relu, leaky_relu, elu, gelu or silu.",
            show_default="the recipe's",
        ),
    ] = None,
    dropout: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            help="Dropout rate of the hidden layers: at least 0, below 1.",
            show_default="the recipe's",
        ),
    ] = None,
    loss: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Loss: cross_entropy, binary_cross_entropy, squared_error, absolute_error or huber. Also sets the "
            "output activation that the loss needs.",
            show_default="the recipe's",
        ),
    ] = None,
    l2: Annotated[
        float | None,
        typer.Option(
            "--l2",
            metavar="X",
            help="L2 penalty: the loss grows by X/2 times the sum of the squared weights.",
            show_default="the recipe's",
        ),
    ] = None,
    rows: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Train on only the first N training rows.", show_default="all rows of the recipe"
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="N", help="Seed of the initial weights, the order of the rows and dropout.")
    ] = 0,
    engine: Annotated[
        str,
        typer.Option(metavar="NAME", help=_ENGINE),
    ] = "auto",
    threads: Annotated[
        str,
        typer.Option(metavar="N", help="Number of threads; does not change the result."),
    ] = "auto",
    out: Annotated[
        str,
        typer.Option(
            metavar="PATH",
            help="Folder for numbered runs (RECIPE-001/model.npz and so on), or a new .npz, .json, .safetensors or "
            ".onnx file. Training can't continue from .onnx.",
        ),
    ] = "runs",
    plots: Annotated[
        bool,
        typer.Option("--plots", help="Save plots of history, weights, mistakes and more beside the model, as PNG."),
    ] = False,
) -> None:
    """Train the network of a recipe, test it and save it.

    A recipe is a tutorial's or paper's network with its data and settings. Options replace the recipe's settings.
    Ctrl-C or SIGTERM stops the training and keeps the network of the last finished epoch.
    """
    from .train import Request, run

    code = run(
        Request(
            recipe=recipe,
            data=data,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            optimizer=optimizer,
            schedule=schedule,
            momentum=momentum,
            hidden=hidden,
            activation=activation,
            dropout=dropout,
            loss=loss,
            l2=l2,
            rows=rows,
            seed=seed,
            engine=engine,
            threads=threads,
            out=out,
            plots=plots,
        )
    )
    raise typer.Exit(code)


@app.command(cls=_Command)
def compare(
    recipe: Annotated[
        str | None,
        typer.Option(metavar="NAME", help='Name of a recipe; "fastmlp recipes" lists them.', show_default="keras"),
    ] = None,
    learning_rate: Annotated[
        str | None, typer.Option(metavar="X,...", help="Learning rates, such as 0.3,1,3.", show_default=_RECIPES)
    ] = None,
    hidden: Annotated[
        str | None,
        typer.Option(
            metavar="UNITS,...",
            help="Units of the hidden layers, such as 30,100-50,none: one layer of 30, layers of 100 and 50, no layer.",
            show_default=_RECIPES,
        ),
    ] = None,
    optimizer: Annotated[
        str | None,
        typer.Option(metavar="NAME,...", help="Optimizers: sgd, rmsprop, adam, adamw.", show_default=_RECIPES),
    ] = None,
    batch_size: Annotated[
        str | None, typer.Option(metavar="N,...", help="Batch sizes, such as 32,128.", show_default=_RECIPES)
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,...",
            help='Learning-rate schedules; "fastmlp train --help" lists them.',
            show_default=_RECIPES,
        ),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(metavar="N", help="Passes over the training rows.", show_default=_RECIPES)
    ] = None,
    seeds: Annotated[
        int, typer.Option(metavar="N", help="Number of seeds for each combination; the seeds are 0, 1, ...")
    ] = 1,
    data: Annotated[str | None, typer.Option(metavar="PATH", help=_MODEL_DATA, show_default="MNIST, built in")] = None,
    engine: Annotated[str, typer.Option(metavar="NAME", help=_ENGINE)] = "auto",
    threads: Annotated[
        str, typer.Option(metavar="N", help="Networks trained at the same time; does not change the results.")
    ] = "auto",
    curves: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Save the learning curves, averaged over seeds, to this PNG file.",
            show_default="no picture",
        ),
    ] = None,
    json: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Write the results and the histories to this JSON file.", show_default="print only"
        ),
    ] = None,
) -> None:
    """Train all combinations of some settings and compare them.

    Separate the values of an option by commas. Several networks train at the same time. No network is saved: train the
    best one with "fastmlp train". Ctrl-C stops the comparison and prints the results so far.
    """
    from .compare import Comparison, run

    code = run(
        Comparison(
            recipe=recipe,
            learning_rate=learning_rate,
            hidden=hidden,
            optimizer=optimizer,
            batch_size=batch_size,
            schedule=schedule,
            epochs=epochs,
            seeds=seeds,
            data=data,
            engine=engine,
            threads=threads,
            curves=curves,
            json=json,
        )
    )
    raise typer.Exit(code)


@app.command(cls=_Command)
def recipes(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Recipe to describe.", show_default="list all")
    ] = None,
    python: Annotated[
        bool, typer.Option("--python", help="Print the recipe as a Python script that trains its network.")
    ] = False,
) -> None:
    """List all recipes, or describe one.

    A recipe is a tutorial's or paper's network with its data and settings.

    For example: fastmlp recipes nielsen --python > nielsen.py
    """
    from . import reports

    if python:
        reports.print_script(name)
    elif name is None:
        reports.list_recipes()
    else:
        reports.describe_recipe(name)


@app.command(cls=_Command)
def evaluate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help=_MODEL)],
    data: Annotated[str | None, typer.Option(metavar="PATH", help=_MODEL_DATA, show_default="MNIST, built in")] = None,
    pixels: Annotated[str | None, typer.Option(metavar="LOW..HIGH", help=_PIXELS, show_default=_ASSUMED)] = None,
    logits: Annotated[bool | None, typer.Option("--logits/--no-logits", help=_LOGITS, show_default=_ASSUMED)] = None,
    engine: Annotated[
        str,
        typer.Option(metavar="NAME", help=_ENGINE),
    ] = "auto",
) -> None:
    """Evaluate a saved network.

    Prints the loss and the accuracy on the test rows, and the accuracy for each label.
    """
    from . import reports

    reports.evaluate(model, data, engine, pixels, logits)


@app.command(cls=_Command)
def predict(
    model: Annotated[str, typer.Argument(metavar="MODEL", help=_MODEL)],
    images: Annotated[
        list[str],
        typer.Argument(metavar="IMAGE...", help="PNG or JPEG files, each a photograph, scan or drawing of one digit."),
    ],
    show: Annotated[bool, typer.Option("--show", help="Also print the 28 by 28 pixels that the network saw.")] = False,
    pixels: Annotated[str | None, typer.Option(metavar="LOW..HIGH", help=_PIXELS, show_default=_ASSUMED)] = None,
    logits: Annotated[bool | None, typer.Option("--logits/--no-logits", help=_LOGITS, show_default=_ASSUMED)] = None,
    engine: Annotated[
        str,
        typer.Option(metavar="NAME", help=_ENGINE),
    ] = "auto",
) -> None:
    """Classify images of handwritten digits.

    First converts each image to MNIST's format: finds the digit, crops it, scales it and centres it. Then prints the
    predicted digit and the probability of every digit.
    """
    from . import predict

    predict.run(model, images, show, engine, pixels, logits)


@app.command(cls=_Command)
def plot(
    model: Annotated[str, typer.Argument(metavar="MODEL", help=_MODEL)],
    kinds: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KIND",
            help="samples, history, predictions, mistakes, confusion, weights or activations.",
            show_default="all that can be drawn",
        ),
    ] = None,
    data: Annotated[str | None, typer.Option(metavar="PATH", help=_MODEL_DATA, show_default="MNIST, built in")] = None,
    out: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Folder for the pictures.", show_default="beside the model")
    ] = None,
    index: Annotated[int, typer.Option(metavar="N", help="Index of the test row for activations, from 0.")] = 0,
    theme: Annotated[str, typer.Option(metavar="NAME", help="light or dark.")] = "light",
) -> None:
    """Draw training curves, predictions, mistakes and weights.

    Writes a PNG file for each kind of plot and prints its path. Replaces the files of an earlier call.
    """
    from . import plot

    plot.run(model, kinds or [], data, out, index, theme)


@app.command(cls=_Command)
def serve(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="MODEL",
            help=_MODEL,
            show_default="a new network, trained with the default recipe",
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="Address to listen on. By default, only this machine can connect."),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="N", help="Port; 0 picks a free one.")] = 8000,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Draw digits and watch networks learn, in the browser.

    Open the printed address, or pass --open. Ctrl-C stops the server.
    """
    from ..web import serve

    serve(model, host=host, port=port, open_browser=open_browser)


@app.command(cls=_Command)
def convert(
    model: Annotated[
        str,
        typer.Argument(metavar="MODEL", help=_MODEL),
    ],
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="The file to write, such as model.json, model.c or model.html.")
    ],
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    float16: Annotated[bool, typer.Option("--float16", help="Store the weights of an .html file in 16 bits.")] = False,
) -> None:
    """Convert a saved network to another file format.

    The suffix of TARGET selects the format. A .c file is C99 without dependencies. It contains weights, scaling, labels
    and predict(features, outputs). An .html file is a page to draw digits on; it needs no server. .c, .onnx and .html
    files can only predict: keep the .npz file to continue training.
    """
    from . import reports

    reports.convert(model, target, force, float16)


@app.command(cls=_Command)
def warmup(
    dtype: Annotated[str, typer.Option(metavar="NAME", help="float32, float64 or both.")] = "both",
) -> None:
    """Compile all kernels now.

    Compiles the kernels for training, prediction, sparse rows and augmentation, and stores them on disk. Later runs
    load them from there.
    """
    from . import reports

    reports.warmup(dtype)


@app.command(cls=_Command)
def bench(
    quick: Annotated[bool, typer.Option("--quick", help="Measure fewer networks, on fewer rows.")] = False,
    json: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Also write the results to this JSON file.", show_default="print only"),
    ] = None,
) -> None:
    """Measure the speed of this machine.

    Times matrix products, training and prediction, and compares them with NumPy on one thread. Takes less than a
    minute.
    """
    from ..measure.machine import hold_blas_to_one_thread

    one_blas_thread = hold_blas_to_one_thread()  # before anything imports NumPy
    from . import bench

    bench.run(bench.QUICK if quick else bench.FULL, json, one_blas_thread)
