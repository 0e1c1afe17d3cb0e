"""Dropout by a hash of counters (floor 2).

A unit of a sample is dropped where ``hash(key, sample, unit) < rate * 2³²``; nothing is drawn, so the order of samples
and the number of threads change nothing. The same in NumPy: `model.dropout`. Words of 32 bits are kept in integers of
64, cut to size after every product.
"""

from ..runtime.jit import loop

WORD = 0xFFFFFFFF
GOLDEN = 0x9E3779B9


@loop
def mix(x):
    """Scramble a word of 32 bits (Wellons 2018, "lowbias32"): `model.dropout.mix`."""
    x = ((x ^ (x >> 16)) * 0x7FEB352D) & WORD
    x = ((x ^ (x >> 15)) * 0x846CA68B) & WORD
    return x ^ (x >> 16)


@loop
def dropout(layer, name, x, out):
    """``out = x`` times the mask of the sample of this name: `model.dropout.dropout_mask`."""
    row = mix((name & WORD) ^ layer.key)
    for j in range(len(x)):
        kept = mix((row + j * GOLDEN) & WORD) >= layer.threshold
        out[j] = x[j] * (layer.kept_scale if kept else 0.0)
