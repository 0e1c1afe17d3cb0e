"""What the engine gives to `epoch.run`, and numbers that both sides know (floor 2; imports numpy).

A `Step` is all that a thread is told; what a kernel needs it finds there by name. All arrays are flat.
"""

import numpy as np

from .fields import Record, numbers_of, real, record, whole

# As the last argument of `matrix`: NEXT, its columns adjoin; ZERO, there is none; -n, it is in panels of n rows.
# Typed, because a plain 0 or 1 among the arguments makes Numba compile the callee once for each pattern of them.
NEXT = ADD = ONE_ROW = np.int64(1)
ZERO = NEW = np.int64(0)
NONE = np.int64(-1)

DENSE_BYTES, DENSE_NUMBERS, SPARSE_BYTES, SPARSE_NUMBERS = range(4)

PACK_FROM = 16
"""Rows of a chunk from which it pays to pack ``W`` for the forward pass."""

STRIP = 256
"""Columns of a first layer on sparse rows that are worked off at a time: of 784 features they fill most of L2."""

NARROW, NARROW_SUMS = 2, 4
"""A first layer of at most NARROW vectors adds a sparse row's entries in turns to NARROW_SUMS sums, none of which waits
for another. With one sum 784-16-10 at batch 1 takes 18 % longer, 300-16-3 15 %.
"""

PIECES = 4
"""Pieces a thread, at least, that rows are cut into where only outputs are wanted."""

PANELS_FROM = 512
"""Units of a layer from which it pays to pack its deltas for the weight gradient: without it 50-2048-2048-1 takes 5 %
longer, 100-1024-1024-10 4 %.
"""


class Rows(Record):
    """The samples. Of the arrays, those that `kind` doesn't need are empty."""

    kind = whole("DENSE_BYTES, DENSE_NUMBERS, SPARSE_BYTES or SPARSE_NUMBERS.")
    features = whole("Numbers of a row.")
    has_shift = whole("Whether any shift is not 0.")
    readable = whole("Entries that `read_row` may read in whole blocks: all or, if scales differ, none.")
    scale = numbers_of("Of each feature, (features,): x = scale * what is stored + shift.")
    shift = numbers_of("(features,)")
    starts = numbers_of("Where each sparse row begins, and at last their end: (n_rows + 1,)", np.int64)
    columns_16 = numbers_of("Columns of the entries of sparse rows, beside bytes.", np.uint16)
    columns_32 = numbers_of("The same beside numbers.", np.uint32)
    bytes = numbers_of("Dense rows, or the values of sparse ones.", np.uint8)
    numbers = numbers_of("The same in the network's dtype.")
    filled = whole("Features of sparse rows that come first and are dense, a multiple of 16; see `parting`.")
    filled_bytes = numbers_of("Their values, beside bytes: (n_rows * filled,)", np.uint8)
    filled_numbers = numbers_of("The same beside numbers.")
    by_eights = whole("Whether every row has whole eights of entries, see `eights`; bytes of one scale then.")


class Layer(Record):
    """A layer as one thread is told of it.

    Matrices lie in flat arrays: a place in the parameters or in the workspace, and a stride from row to row. A place of
    -1: there is none. What a thread owns it alone keeps up to date.
    """

    fan_in = whole("Inputs of a unit: rows of the weights.")
    units = whole("Outputs.")
    width = whole("Units, padded to whole cache lines: columns of the weights.")
    activation = whole("Its code.")
    weights = whole("Where W starts in the parameters; of columns of a first layer, where column 0 would be.")
    weights_stride = whole("From row to row of W, in the vectors of this thread.")
    bias = whole("Where b starts in the parameters.")
    row_stride = whole("From row to row of a chunk, in the workspace.")
    before_dropout = whole("Weighted inputs and then activations, in the workspace.")
    activations = whole("Activations after dropout; without dropout the same place.")
    deltas = whole("Derivatives of the loss by the weighted inputs, times `Step.delta_scale`.")
    logits = whole("Weighted inputs, where they are kept beside the activations.")
    packed = whole("W in panels, as forward products read it.")
    packed_transposed = whole("W transposed in panels, as backward products read it; then dW transposed.")
    together = whole("Whether threads pack both together, each the rows that it owns, in `Work.shared`.")
    few_units = whole("Whether both are W transposed row by row instead, as `narrow` reads it.")
    block_rows = whole("Rows of W whose gradient is computed at a time, where the optimizer takes it at once.")
    key = whole("Of dropout, in this epoch.")
    threshold = whole("Hash below which dropout drops a unit; 0: none is dropped.")
    dropout_scale = real("1 / (1 - rate) of dropout.")
    trainable = whole("Whether a step of training changes W and b.")
    first_row = whole("Of W, this thread owns the rows from here")
    end_row = whole("to here,")
    first_column = whole("columns from here")
    end_column = whole("to here,")
    first_bias = whole("and of b the numbers from here")
    end_bias = whole("to here.")


class Targets(Record):
    """The targets: labels or values."""

    has_targets = whole("0 where there are none.")
    task = whole("Its code.")
    labelled = whole("Whether they are labels.")
    weighted = whole("Whether rows have weights.")
    labels = numbers_of("(n_rows,) or empty", np.int32)
    values = numbers_of("(n_rows * outputs,) or empty")
    weights = numbers_of("(n_rows,) or empty")


class Work(Record):
    """A thread's scratch memory, and where in `memory` things lie that are no layer's."""

    chunk = whole("Rows of a chunk, at most.")
    x = whole("Dense inputs, chunk x x_row.")
    x_row = whole("From row to row of them.")
    y = whole("Targets, chunk x padded outputs.")
    mask = whole("1 for every output, 0 for the padding.")
    base = whole("What the first layer's weighted inputs start from: bias + shift W.")
    sums = whole("Deltas of the first layer summed over the chunk; before that, scratch of the squared errors.")
    block = whole("Gradients on their way to the optimizer.")
    panels = whole("Deltas of a layer as the weight gradient reads them.")
    listing = whole("Whether the entries of a chunk are listed by columns.")
    skipping = whole("Whether the zeros of dense rows are skipped, in a forward pass.")
    narrow = whole("Whether the first layer has several sums over a sparse row, see `rows.narrow_row_forward`.")
    half = whole("0 or 1: which half of the network this is, see `split_layer`; -1: all of it.")
    first_units = whole("Units of the first half, if one thread adds the second layer up by halves; else 0.")
    other = whole("Where the second half's part of the second layer's weighted inputs goes then.")
    memory = numbers_of("Each thread its own.")
    shared = numbers_of("Like memory, to exchange through; empty where threads don't own parts of the parameters.")
    shared_parameters = numbers_of("Like the parameters, likewise.")
    partials = numbers_of("What two halves tell one another; else empty.")
    losses = numbers_of("Of the rows of a chunk; shared unless there are groups or halves.", np.float64)
    correct = numbers_of("Likewise, 1 or 0 times the weight.", np.float64)
    groups = whole("Of the chunks of a batch, see `data_parallel`; 0: each chunk is divided among the threads.")
    group_gradients = numbers_of("One like the parameters behind the other; shared.")
    group_totals = numbers_of("Sums of losses, correct answers and weights, ONE_OF_GROUP apart; shared.", np.float64)
    parts = whole("Threads with the same columns of the first layer, each of which owns a part of its features.")
    first_entries = numbers_of("Where in each sparse row the entries of its features begin: (n_rows,)", np.int64)
    end_entries = numbers_of("Where they end.", np.int64)
    ends = numbers_of("Where the lists of columns end: (features,)", np.int64)
    members = numbers_of("Places of the entries of a row, or of the lists, see `rows`.", np.uint32)
    factors = numbers_of("Their values, scaled.")
    terms = numbers_of("Vectors of the optimizer's step, see `optimizers.term_values`.")
    eights = numbers_of("The eights of a chunk, see `eights.list_eights`.", np.int64)


class Settings(Record):
    """The numbers of a loss and an optimizer; those that it doesn't have are 0. Each thread has its own."""

    l1 = real("A penalty; where the gradient is clipped both are added before that, else with the step.")
    l2 = real("The other; every batch may have its own.", changing=True)
    clip_norm = real("The length that a gradient may have; 0: any.")
    weight_decay = real("Of all optimizers.")
    momentum = real("Of SGD.")
    nesterov = real("Whether it looks ahead.")
    decay = real("Of RMSprop.")
    beta_1 = real("Of Adam.")
    beta_2 = real("Likewise.")
    epsilon = real("Of RMSprop and Adam.")
    epsilon_hat = real("Whether Adam adds it to the root that is not corrected.")
    level = real("Of the quantile that the loss is about.")


class Step(Record):
    """A training step, or a pass forward, as one thread is told of it, and where it stands in it."""

    mode = whole("TRAIN: one step of the optimizer a batch. GRADIENT: a batch's gradient. FORWARD: outputs, losses.")
    layers = record(Layer, "The network.", several=True)
    n_layers = whole("Number of layers.")
    loss = whole("Its code.")
    optimizer = whole("Its code.")
    settings = record(Settings, "Of the loss and the optimizer.")
    rows = record(Rows, "The samples.")
    targets = record(Targets, "What is to come out of the network.")
    work = record(Work, "Scratch memory.")
    parameters = numbers_of("Flat, of the layout of the architecture.")
    n_parameters = whole("Number of parameters.")
    gradient = numbers_of("Like the parameters; empty in a pass forward.")
    m = numbers_of("Adam: first moments; RMSprop: mean squares; SGD: velocity; empty where there is none.")
    v = numbers_of("Adam: second moments; else empty.")
    order = numbers_of("Rows of all epochs, one epoch after the other.", np.int64)
    names = numbers_of("The numbers by which dropout knows them.", np.int64)
    n_rows = whole("Length of `order`.")
    epoch_rows = whole("Rows of an epoch.")
    batch_size = whole("Rows of a batch; the last of every epoch may have less.")
    rates = numbers_of("The learning rate of every batch; read in TRAIN.", np.float64)
    penalties = numbers_of("The L2 penalty of every batch.", np.float64)
    has_penalties = whole("Whether batches have their own; else `Settings.l2` is for all.")
    steps_before = whole("Steps of the optimizer done before this pass.")
    outputs = numbers_of("FORWARD writes those of every row here, (n_rows * outputs,); shared.")
    writing = whole("Whether outputs are wanted.")
    totals = numbers_of("Sums of weighted losses, weighted correct answers and weights of every epoch.", np.float64)
    ends_of_epochs = numbers_of("Receives the first thread's parameters at the end of every epoch.")
    keeping_ends = whole("Whether `ends_of_epochs` is filled.")

    thread = whole("Which thread this is.", changing=True)
    threads = whole("How many there are. The bits don't depend on it.", changing=True)
    barrier = numbers_of("Where they wait for one another.", np.int64, changing=True)
    training = whole("Whether the mode is TRAIN.", changing=True)
    backward = whole("Whether the mode is not FORWARD.", changing=True)
    sparse = whole("Whether rows are sparse.", changing=True)
    folded = whole("Whether what a shift adds is part of `Work.base`: of rows whose zeros are skipped.", changing=True)
    halved = whole("Whether the second layer is added up by halves.", changing=True)
    outputs_only = whole("Whether threads take pieces as they come, for nothing else is wanted.", changing=True)
    exchanging = whole("Whether threads own parts of the parameters.", changing=True)
    by_columns = whole("Whether of the first layer they own columns.", changing=True)
    clipping = whole("Whether the gradient is clipped, and so has to be whole first.", changing=True)
    direct = whole("Whether the deltas carry minus the rate, and the gradient goes into the weights.", changing=True)
    piece = whole("Rows of a chunk in this pass.", changing=True)
    finite = whole("Whether all dense rows have been finite, in a pass forward.", changing=True)
    lowest = whole("The lowest layer whose gradient is wanted: in TRAIN, the lowest that is trained.", changing=True)

    batch = whole("Number of this batch.", changing=True)
    begin = whole("Where it begins in the order.", changing=True)
    end = whole("Where it ends.", changing=True)
    epoch = whole("Number of this epoch.", changing=True)
    epoch_end = whole("Where it ends.", changing=True)
    rate = real("Learning rate of the batch.", changing=True)
    delta_scale = real("What the derivatives of the losses are multiplied by.", changing=True)
    position = whole("Where this chunk begins in the order.", changing=True)
    count = whole("Its rows.", changing=True)
    number = whole("Its number in the batch.", changing=True)
    first = whole("This thread's rows of it: from here", changing=True)
    last = whole("to here.", changing=True)
    last_piece = whole("Number of the piece that this thread took last.", changing=True)
    n_eights = whole("Eights of the chunk, see `eights`.", changing=True)
    target = numbers_of("Receives the gradient; or the parameters themselves, where it is direct.", changing=True)
    updating = whole("Whether the gradient is complete with this chunk and the optimizer is to take it.", changing=True)
    at_once = whole("Whether this chunk is the whole batch: each block is then taken as it is computed.", changing=True)
    accumulate = whole("Whether to add to what the target holds.", changing=True)


class Lanes(Record):
    """Networks of one shape that are trained side by side, one a lane; see `lanes.epoch`.

    Where a comment says vectors, lane ``n`` of each belongs to network ``n``. Places and strides count numbers.
    """

    step = record(Step, "As for one network, with room for the last layer's rows of all; its vectors are those here.")
    layers = record(Layer, "Where things of a layer lie here, in vectors without padding.", several=True)
    n_layers = whole("Number of layers.")
    settings = record(Settings, "Of every network.", several=True)
    rates = numbers_of("Learning rates: (steps, lanes)", np.float64)
    steps_before = numbers_of("Steps that each network's optimizer has done before: (lanes,)", np.int64)
    order = numbers_of("Rows of all epochs, those of a place side by side: (epochs * epoch_rows, lanes)", np.int64)
    epoch_rows = whole("Rows of an epoch.")
    epochs = whole("Number of epochs.")
    batch_size = whole("Rows of a batch, at least 2; the last of every epoch may have less.")
    chunk = whole("Rows that are worked off at a time.")
    direct = whole("Whether deltas carry minus the rate, see `Step.direct`.")
    n_numbers = whole("Parameters of a network, without padding, times the lanes.")
    parameters = numbers_of("Vectors: layer by layer W, (fan_in, units), then b.")
    gradient = numbers_of("Like the parameters.")
    memory = numbers_of("Scratch.")
    x = whole("The input in it: (chunk, x_width) vectors.")
    x_width = whole("Features, padded to whole vectors.")
    first_units = whole("Units of the first half of the first layer, where the second is added up by halves; else 0.")
    other = whole("Where in the memory what the other half adds goes.")
    sums = numbers_of("Room for as many vectors as there are lanes.")
    n_rows = whole("Rows of the data set, which `Work.memory` of the step begins with, x_width numbers each.")
    plain_softmax = whole("Whether outputs are a softmax, the loss is the cross-entropy, and targets are labels.")
    labels = numbers_of("Room for a vector: the labels of a row, or the outputs at them.")
    shares = numbers_of("Likewise: what a row's deltas are multiplied by, or which answers are right.")
    scales = numbers_of("What each network's deltas are multiplied by: (lanes,)", np.float64)
    factors = numbers_of("What decay leaves of weights where it is direct: one vector.")
    totals = numbers_of("Sums of losses, right answers and weights: (lanes, epochs, 3)", np.float64)
    ends = numbers_of("Receives the parameters at the end of every epoch: (lanes, epochs, n_parameters)")

    batch = whole("Number of this batch.", changing=True)
    count = whole("Its rows.", changing=True)
    first = whole("Where this chunk begins in it.", changing=True)
    rows = whole("Its rows.", changing=True)
    position = whole("Where it begins in the order.", changing=True)


class Prediction(Record):
    """A pass of a few dense rows through a network, see `predict.forward_rows`."""

    layers = record(Layer, "Read: fan-in, units, width, weights, bias and activation.", several=True)
    n_layers = whole("Of them.")
    scale = numbers_of("Of the features; behind them 1 for every unit of the widest layer.")
    shift = numbers_of("(features,)")
    has_shift = whole("Whether any shift is not 0.")
    readable = whole("Entries that `read_row` may read in whole blocks: all or, if scales differ, none.")
    memory = numbers_of("Zeros, as many as the widest layer is wide; behind them room for all layers' activations.")
    activations = whole("Where that room begins.")
    members = numbers_of("Room for the columns of a row's non-zeros, as `compress_row` wants it.", np.uint32)
    factors = numbers_of("The same for their values.")


class Images(Record):
    """Images that are augmented, see `augmentation.augment`, in the dtype of the record."""

    out = numbers_of("Receives them, (n_images * height * width,); not the same as `images`.")
    images = numbers_of("As they came.")
    height = whole("Of an image.")
    width = whole("Likewise.")
    rows = numbers_of("Which images are augmented; those go to the same places of `out`.", np.int64)
    n_rows = whole("How many these are.")
    names = numbers_of("Their numbers in the data set.", np.int64)
    maps = numbers_of("Six numbers of `fastmlp.data.augmentation.affine_maps` for each.", np.int64)
    key = whole("Of the epoch.")
    weights = numbers_of("Of the Gaussian by which noise is smoothed.", np.float32)
    taps = whole("How many: an odd number.")
    factor = whole("Smoothed noise times this / 4096 is a displacement in 1/65536; 0: there is none.")
    half = real("Added before the division by 65536: half of that for bytes, which are cut to whole numbers; else 0.")
    frame = numbers_of("Zeros for (height + 3) * (width + 3) numbers, a thread's own.")
    memory = numbers_of("Room for noise, see `augmentation.room`, a thread's own.", np.float32)


class Parting(Record):
    """How rows are parted into entries and filled features, see `parting.part_rows`."""

    features = whole("Numbers of a row.")
    filled = whole("How many features are chosen, whose names are less than those of the others.")
    multiple = whole("1, or what each row's entries are a multiple of; zeros fill them up.")
    names = numbers_of("The new number of each feature; its own where none is chosen: (features,)", np.uint32)
    chosen = numbers_of("1 for each feature that is chosen, else 0: (features,)", np.uint8)
