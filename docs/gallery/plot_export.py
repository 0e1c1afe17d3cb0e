"""
Export to C and to ONNX
=======================

**What you see:** the answer to one digit, computed in three ways: by fastmlp, by C code generated from the network, and
by ONNX Runtime. The bars are equal. The title gives the largest difference over 1,000 digits: a rounding error.

**How:** ``net.save`` chooses the format by the suffix. ``.c`` is one C99 file whose only dependency is the standard
math library. ONNX Runtime and many other programs read ``.onnx``. Both files include the scaling, so they take the same
raw features as ``net.predict``.

The example compiles the C file if there is a compiler ``cc``. It writes and runs the ONNX file if ``onnx`` and
``onnxruntime`` are installed (``pip install 'fastmlp[onnx]' onnxruntime``). If one of them is missing, the example says
so and skips that part.
"""

import ctypes
import shutil
import subprocess
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from fastmlp import Network, load_mnist

digits = load_mnist()
X, labels = digits.X_test[:1000], digits.y_test[:1000]
net = Network([784, 32, 10], seed=0)
net.fit(digits.X_train[:20_000], digits.y_train[:20_000], epochs=3, verbose=0)

folder = tempfile.TemporaryDirectory()
answers = {"fastmlp": net.predict_proba(X)}
sizes = {}

# %%
# C: write, compile as a shared library, and call it from Python. A microcontroller would compile the same file.

c_file, library = Path(folder.name) / "digits.c", Path(folder.name) / "digits.so"
net.save(c_file)
sizes["C source"] = c_file.stat().st_size
print(c_file.read_text()[:400])


def answers_of_c(library, X):
    """Call ``void predict(const float *features, float *outputs)`` for every row."""
    predict = ctypes.CDLL(str(library)).predict
    features, outputs = np.ascontiguousarray(X, np.float32), np.zeros((len(X), 10), np.float32)
    pointer = ctypes.POINTER(ctypes.c_float)
    predict.argtypes, predict.restype = [pointer, pointer], None
    for row, out in zip(features, outputs, strict=True):
        predict(row.ctypes.data_as(pointer), out.ctypes.data_as(pointer))
    return outputs


# %%
# Compile and run.

compiler = shutil.which("cc")
if compiler is None:
    print("There is no C compiler called cc here, so the C file is only written.")
else:
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, c_file, "-lm"], check=True)
    sizes["C compiled"] = library.stat().st_size
    answers["C"] = answers_of_c(library, X)

# %%
# ONNX: write the file, and run it with ONNX Runtime.

try:
    import onnx  # noqa: F401  (net.save needs it)
    import onnxruntime
except ImportError:
    print("onnx or onnxruntime is not installed, so there is no ONNX file: pip install onnx onnxruntime")
else:
    onnx_file = Path(folder.name) / "digits.onnx"
    net.save(onnx_file)
    sizes["ONNX"] = onnx_file.stat().st_size
    session = onnxruntime.InferenceSession(onnx_file, providers=["CPUExecutionProvider"])
    print("inputs: ", [(one.name, one.type, one.shape) for one in session.get_inputs()])
    print("outputs:", [(one.name, one.type, one.shape) for one in session.get_outputs()])
    names = [one.name for one in session.get_outputs() if one.type == "tensor(float)"]
    answers["ONNX Runtime"] = session.run(names[:1], {session.get_inputs()[0].name: X.astype(np.float32)})[0]

# %%
# Side by side, for a digit that the network is unsure about.

number = int(answers["fastmlp"].max(axis=1).argmin())
difference = max(np.abs(answers["fastmlp"] - other).max() for other in answers.values())

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 3.8), width_ratios=(1, 3, 1.4), layout="constrained")
left.imshow(X[number].reshape(28, 28), cmap="gray")
left.set(title=f"a {labels[number]}", xticks=[], yticks=[])
for place, (name, values) in enumerate(answers.items()):
    middle.bar(np.arange(10) + 0.27 * (place - 1), values[number], width=0.25, label=name)
middle.set(xticks=range(10), xlabel="digit", ylabel="probability")
middle.set_title(f"largest difference over {len(X):,} digits: {difference:.1e}")
middle.legend()
right.bar(sizes.keys(), [size / 1000 for size in sizes.values()], color="0.6")
right.set(ylabel="kB", title="size of the file")
folder.cleanup()

# %%
# **What to try next**
#
# - Print the whole C file: it is meant to be read.
# - Save as ``.json``, ``.safetensors`` or ``.npz``; ``fastmlp.load`` reads those back, and ``.onnx`` too.
# - Keep an ``.npz`` as well if you want to go on training: C and ONNX only predict.

plt.show()
