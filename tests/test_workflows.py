"""The workflows call the steps of .ci/run, all of them and no others, so that both test the same."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import fastmlp

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))

pytestmark = [
    pytest.mark.skipif(not WORKFLOWS, reason="a source distribution has no workflows"),
    pytest.mark.skipif(sys.platform == "win32", reason="the bash that a process finds on Windows is that of WSL"),
]


def steps():
    shown = subprocess.run(["bash", ".ci/run", "--list"], cwd=ROOT, capture_output=True, text=True, check=True)
    return shown.stdout.split()


def called():
    text = "\n".join(path.read_text(encoding="utf-8") for path in WORKFLOWS)
    (listed,) = re.findall(r"step: \[(.*)\]", text)
    lines = [*listed.split(","), *re.findall(r"run: bash \.ci/run (.*)", text)]
    return {word for line in lines if not line.startswith("$") for word in line.split()}


def test_every_step_is_in_a_workflow_and_every_call_is_a_step():
    assert called() - {"release", '"$GITHUB_REF_NAME"'} == set(steps())


def test_a_step_that_is_not_there_is_refused_with_those_that_are():
    asked = subprocess.run(["bash", ".ci/run", "lint", "tset"], cwd=ROOT, capture_output=True, text=True)
    assert asked.returncode == 2
    assert asked.stdout == ""
    assert "no step tset" in asked.stderr and "tests" in asked.stderr


def test_nothing_is_published_under_another_version():
    asked = subprocess.run(["bash", ".ci/run", "release", "v99.0.0"], cwd=ROOT, capture_output=True, text=True)
    assert asked.returncode == 1
    assert f"the tag should be v{fastmlp.__version__}" in asked.stdout


def test_the_workflows_test_every_python_that_is_named():
    named = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["classifiers"]
    versions = [one for name in named for one in re.findall(r"Python :: (3\.\d+)$", name)]
    (listed,) = re.findall(r"python: \[(.*)\]", (ROOT / ".github/workflows/tests.yml").read_text(encoding="utf-8"))
    assert re.findall(r"3\.\d+", listed) == versions


def test_changelog_and_citation_have_this_version():
    assert f"\n## {fastmlp.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\nversion: {fastmlp.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
