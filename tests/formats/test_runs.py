"""Models by the folders of their runs, and what is said of one that isn't there."""

import pytest

from fastmlp.errors import DataFileError
from fastmlp.formats.runs import model_file


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """A working folder with three runs, and a folder that is none."""
    monkeypatch.chdir(tmp_path)
    for name in ("keras-001", "nielsen-001", "nielsen-002"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "model.npz").touch()
    (tmp_path / "empty").mkdir()
    return tmp_path


def complaint(model):
    with pytest.raises(DataFileError) as error:
        model_file(model)
    return str(error.value)


def test_a_run_is_its_model(runs):
    assert model_file("runs/keras-001") == model_file(runs / "runs/keras-001").relative_to(runs)
    assert model_file("runs/keras-001").name == "model.npz"


def test_a_file_is_itself(runs):
    (runs / "v1.2").touch()
    for name in ("runs/keras-001/model.npz", "v1.2"):
        assert str(model_file(name)) == name


def test_a_suffix_that_names_no_format_is_left_to_whoever_reads(runs):
    assert str(model_file("model.h5")) == "model.h5"


@pytest.mark.parametrize(
    "model", ["nielsen-001", "runs/nielsen-01", "nielsen-001.npz", "elsewhere/nielsen-001", "v1.2"]
)
def test_what_is_not_there_is_told_with_place_and_runs(runs, model):
    told = complaint(model)
    assert told.startswith(f"{model}: ")
    assert str(runs) in told
    assert all(f"runs/{name}" in told for name in ("keras-001", "nielsen-001", "nielsen-002"))


def test_near_names_come_first(runs):
    assert "did you mean runs/nielsen-001? There are runs/nielsen-001, runs/nielsen-002, " in complaint("nielsen-001")
    assert "did you mean runs/keras-001? There are runs/keras-001, " in complaint("runs/karas-01")
    assert "did you mean" not in complaint("nowhere")
    assert complaint("nowhere").startswith("nowhere: no such run or file in ")


def test_a_folder_without_a_model_is_no_run(runs):
    assert complaint("empty").startswith(
        "empty/model.npz: there is no such file, so empty is no run; there are the runs"
    )
    assert complaint("runs").startswith("runs/model.npz: there is no such file, so runs is no run; there are the runs")


def test_of_many_runs_some_are_named(runs):
    for number in range(20):
        (runs / f"runs/raschka-{number:03d}").mkdir()
        (runs / f"runs/raschka-{number:03d}/model.npz").touch()
    assert complaint("raschka-007").endswith(" and 15 more")
    assert "There are runs/raschka-007, " in complaint("raschka-007")


def test_without_any_run_the_command_is_named_that_makes_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert complaint("nielsen-001").endswith('there are no runs in runs/ either; "fastmlp train" makes one')
