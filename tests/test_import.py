import subprocess
import sys

import pytest

import fastmlp

OPTIONAL = (
    *("numba", "llvmlite", "sklearn", "scipy", "pandas", "matplotlib", "rich", "starlette", "typer", "uvicorn"),
    *("safetensors", "onnx", "torch", "keras"),
)


def modules_after(code):
    shown = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(shown.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import fastmlp",
        "from fastmlp import *",
        "import fastmlp; net = fastmlp.Network([2, 2]); net.fit([[0, 1]], [1], epochs=1, engine='numpy', verbose=0)",
    ],
)
def test_importing_imports_nothing_optional(code):
    assert not modules_after(code) & set(OPTIONAL)


@pytest.mark.parametrize("name", fastmlp.__all__)
def test_every_public_name_is_there(name):
    assert getattr(fastmlp, name) is not None
    assert name in dir(fastmlp)


ROOMS = ("datasets", "estimators", "formats", "images", "model_selection", "plots", "recipes")


@pytest.mark.parametrize("before", ["", "fastmlp.Network([2, 2])", "import fastmlp.web, fastmlp.cli, fastmlp.interop"])
def test_dir_shows_what_is_public_whatever_was_imported(before):
    pytest.importorskip("sklearn")
    shown = subprocess.run(
        [sys.executable, "-c", f"import fastmlp\n{before}\nprint(*dir(fastmlp))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.split() == sorted({*fastmlp.__all__, *ROOMS})


def test_dir_shows_no_estimators_without_scikit_learn():
    hidden = "import importlib.util as u; u.find_spec = lambda name: None"
    wanted = "assert not {'estimators', 'model_selection'} & shown; assert 'plots' in shown"
    modules_after(f"{hidden}\nimport fastmlp; shown = set(dir(fastmlp)); {wanted}")


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_are_there_without_an_import_and_show_what_is_public(room):
    if room in ("estimators", "model_selection"):
        pytest.importorskip("sklearn")
    modules_after(
        f"import fastmlp; room = fastmlp.{room}; assert dir(room) == sorted(room.__all__)\n"
        "assert all(getattr(room, name) is not None for name in dir(room))"
    )


def test_a_name_that_is_not_there_is_an_attribute_error():
    assert not hasattr(fastmlp, "Netwrok")


WITHOUT_NUMBA = "import sys; sys.modules['numba'] = None\nimport warnings; warnings.simplefilter('error')\n"


def test_without_numba_networks_run_on_numpy():
    modules_after(WITHOUT_NUMBA + "from fastmlp.engines import get_engine; assert get_engine('auto').name == 'numpy'")


def test_without_numba_asking_for_it_tells_how_to_install_it():
    with pytest.raises(subprocess.CalledProcessError) as error:
        modules_after(WITHOUT_NUMBA + "from fastmlp.engines import get_engine; get_engine('numba')")
    assert "MissingDependencyError" in error.value.stderr
    assert "pip install" in error.value.stderr


def test_a_broken_numba_is_told_once_and_worked_around(monkeypatch):
    from fastmlp import engines

    def broken(*_):
        raise ImportError("Numba needs NumPy 2.4 or less")

    monkeypatch.setattr(engines.importlib, "import_module", broken)
    engines._automatic.cache_clear()
    engines._compiled.cache_clear()
    try:
        with pytest.warns(RuntimeWarning, match="needs NumPy 2.4"):
            assert engines.get_engine("auto").name == "numpy"
        assert engines.get_engine("auto").name == "numpy"
    finally:
        engines._automatic.cache_clear()
        engines._compiled.cache_clear()
