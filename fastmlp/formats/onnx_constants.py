"""Constants of an ONNX graph, and those that lie in other files (floor 6; imports numpy, onnx, placeholders, model).

PyTorch writes the weights of ``net.onnx`` to ``net.onnx.data``, and so do all exporters beyond two gigabytes. Such
files are read from the folder of the model only, whatever the model says, and no more of them than the tensors need.
"""

import math
import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np

from ..model.architecture import Array
from ..placeholders import check_content
from .npz import WrongContentError


class Constants:
    """The constants of a graph, of which nothing is believed that was not checked.

    Parameters
    ----------
    initializers : iterable of TensorProto
    makers : mapping
        The name of a tensor to the node that makes it.
    file_size : int
        Of the model. The files beside it count as soon as they are used.
    folder : Path
        Where the model lies.
    """

    def __init__(self, initializers: Any, makers: Mapping[str, Any], file_size: int, folder: Path) -> None:
        self.tensors = {tensor.name: tensor for tensor in initializers}
        self._makers, self._size, self._folder = makers, file_size, folder
        self._files: dict[str, Path] = {}
        self._taken = 0  # numbers, counted again where nodes share them

    def has(self, name: str) -> bool:
        """Tell whether a tensor is a constant."""
        maker = self._makers.get(name)
        if maker is None:
            return name in self.tensors
        return maker.op_type == "Constant" or (
            maker.op_type in ("Identity", "Cast", "Transpose") and len(maker.input) == 1 and self.has(maker.input[0])
        )

    def any_kind(self, name: str) -> Any | None:
        """Return a tensor of the graph, of whatever type, text too; None where there is none of this name."""
        return self._array(self.tensors[name], name) if name in self.tensors else None

    def array(self, name: str, called: str) -> Array:
        """Return a constant of finite numbers; `called` is the node that needs it."""
        maker = self._makers.get(name)
        if name in self.tensors:
            tensor = self.tensors[name]
        elif maker is not None and maker.op_type == "Constant":
            tensor = attribute(maker, "value", None)
            if tensor is None:
                kinds = ("value_float", "value_floats", "value_int", "value_ints")
                values = [attribute(maker, kind, None) for kind in kinds]
                return np.array(next((value for value in values if value is not None), []))
        elif maker is not None and maker.op_type in ("Identity", "Cast", "Transpose") and len(maker.input) == 1:
            array = self.array(maker.input[0], called)
            return array.transpose(attribute(maker, "perm", None)) if maker.op_type == "Transpose" else array
        else:
            raise WrongContentError(f"the node {called} needs the constant {name!r}, which is not one")
        held: Array = self._array(tensor, name)
        if held.dtype.kind == "V":  # half precision that NumPy lacks
            held = held.astype(np.float32)
        if held.dtype.kind not in "biuf" or not np.isfinite(held).all():
            raise WrongContentError(f"the weights {name!r} are not finite numbers")
        return held

    def take(self, size: int, called: str) -> None:
        """Count numbers that are held from now on; of many nodes that share some, each holds its own."""
        self._taken += size
        if self._taken > self._size:
            raise WrongContentError(f"the node {called} shares weights with others, which together outgrow the file")

    def matrix(self, name: str, called: str) -> Array:
        """Return weights in two dimensions, as float32 or float64."""
        W = self.array(name, called)
        if W.ndim != 2:
            raise WrongContentError(f"the node {called} has weights of shape {W.shape}; they must have two dimensions")
        self.take(W.size, called)
        return W if W.dtype == np.float64 else W.astype(np.float32)

    def vector(self, name: str, called: str) -> tuple[Array, tuple[int, ...]]:
        """Return a constant that is one number, or one a unit, in float64; and the shape that it has in the graph."""
        value = self.array(name, called)
        if value.size == 0 or value.size not in (*value.shape[-2:], 1):
            raise WrongContentError(
                f"the node {called} has a constant of shape {value.shape}; it must be one row or one column"
            )
        self.take(value.size, called)
        return value.reshape(() if value.size == 1 else -1).astype(np.float64), value.shape

    def numbers(self, name: str, called: str) -> list[int]:
        """Return a constant of a few whole numbers."""
        value = self.array(name, called)
        if value.size > 8 or value.dtype.kind not in "iu":
            raise WrongContentError(f"the node {called} has a shape of {value.size} {value.dtype} numbers")
        return [int(number) for number in value.reshape(-1)]

    def _array(self, tensor: Any, name: str) -> Any:
        from onnx import numpy_helper

        if tensor.data_location == tensor.EXTERNAL:
            tensor = self._from_beside(tensor, name)
        self._check_length(tensor, name)
        return numpy_helper.to_array(tensor)

    def _check_length(self, tensor: Any, name: str) -> None:
        if any(size < 0 for size in tensor.dims) or math.prod(tensor.dims) > self._size:
            raise WrongContentError(f"the weights {name!r} of shape {tuple(tensor.dims)} are longer than the file")

    def _from_beside(self, tensor: Any, name: str) -> Any:
        """Return a tensor with the numbers that lie in another file."""
        from onnx import helper

        told = {entry.key: entry.value for entry in tensor.external_data}
        path = self._file(told.get("location", ""), name)
        self._check_length(tensor, name)
        size = math.prod(tensor.dims) * helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
        offset, length = int(told.get("offset", 0)), int(told.get("length", size))
        if length != size or offset < 0:
            raise WrongContentError(
                f"the weights {name!r} of shape {tuple(tensor.dims)} take {size} bytes, but the model says that "
                f"{length} from {offset} on are in {path.name!r}"
            )
        with path.open("rb") as file:
            file.seek(offset)
            content = file.read(min(size, path.stat().st_size))
        if len(content) != size:
            raise WrongContentError(f"{path.name!r} ends before the weights {name!r} do; it was cut off or changed")
        made = type(tensor)(data_type=tensor.data_type, raw_data=content)
        made.dims.extend(tensor.dims)
        return made

    def _file(self, location: str, name: str) -> Path:
        """Return the file of a location, which must lie in the folder of the model."""
        if location in self._files:
            return self._files[location]
        parts = PurePosixPath(location.replace("\\", "/"))
        if not location or "\0" in location or parts.is_absolute() or PureWindowsPath(location).drive:
            raise WrongContentError(f"the weights {name!r} are in {location!r}; only files beside the model are read")
        path = self._folder / parts
        inside = os.path.realpath(self._folder)
        if ".." in parts.parts or os.path.commonpath([inside, os.path.realpath(path)]) != inside:
            raise WrongContentError(
                f"the weights {name!r} are in {location!r}, outside of the model's folder; only files inside are read: "
                "copy it there, not as a link, or save the model in one file"
            )
        check_content(path)
        if not path.is_file():
            raise WrongContentError(
                f"its weights are in another file, {location!r}, which is not there; put it beside the model, under "
                "this name"
            )
        self._files[location] = path
        self._size += path.stat().st_size
        return path


def attribute(node: Any, name: str, default: Any) -> Any:
    """Return an attribute of a node."""
    from onnx import helper

    return next((helper.get_attribute_value(held) for held in node.attribute if held.name == name), default)
