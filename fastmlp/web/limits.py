"""How much one page may ask of the machine it runs on (floor 10)."""

MAX_HIDDEN_LAYERS = 8
MAX_UNITS = 2048
"""Of one hidden layer."""
MAX_PARAMETERS = 2_000_000
MAX_EPOCHS = 1000
MAX_BATCH = 60_000
VALIDATION_ROWS = 10_000
"""For a recipe that has none of its own and leaves some of its training rows out."""
MAX_SWEEP_NETWORKS = 60
"""Of one sweep: its settings times its seeds."""
MAX_SWEEP_PARAMETERS = 6_000_000
"""Of all its networks together, each with what its optimizer remembers."""
MAX_SWEEP_VALUES = 8
"""Of one setting."""
MAX_SWEEPS = 4
"""In memory; one is trained at a time."""
MAX_RUNNING = 2
"""Trainings under way, paused ones counted."""
MAX_MODELS = 12
"""Networks in memory; the oldest that nobody trains makes room for a new one."""
MAX_NAME = 60
"""Letters of a network's name."""
MAX_STREAMS = 24
"""Pages that watch trainings at the same time."""
MAX_SEARCHES = 2
"""Searches for a smallest change at the same time."""
SEARCH_SECONDS = 3.0
"""How long such a search may take."""

SETTINGS_BYTES = 16_384
DIGIT_BYTES = 2_000
"""A little more than a digit's 784, so that one of another length is told its length."""
DRAWING_BYTES = 1_000_000
MAX_DRAWING_SIDE = 1000
IMAGE_BYTES = 20_000_000
MODEL_BYTES = 40_000_000
BODY_SECONDS = 30.0
"""How long a body may take to arrive."""
MAX_CONNECTIONS = 100
"""Open at the same time; one over which nothing is asked makes room for a new one."""
IDLE_SECONDS = 10.0
"""How long a connection waits for a request, or for its client to read an answer."""

MAX_PLANES = 8
"""In memory; the one that nobody asked for longest makes room."""
PLANE_LAYERS = 4
PLANE_UNITS = 64
PLANE_POINTS = 5000
PLANE_CLASSES = 4
PLANE_EPOCHS = 5000
"""In one request."""
PLANE_MILLISECONDS = 100
PLANE_BYTES = 400_000

DIGITS_A_PAGE = 40
WEIGHT_IMAGES = 24
"""Neurons of the first layer whose weights are sent while a network trains."""
