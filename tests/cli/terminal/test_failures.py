"""Exceptions in, two lines out."""

import pytest

from everlearn.cli.terminal.failures import explain, report
from everlearn.errors import DataError, EverlearnError


def test_our_own_errors_explain_themselves():
    error = DataError("a", "b")
    assert explain(error) is error


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (MemoryError(), "there is not enough memory"),
        (
            RuntimeError("CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has …"),
            "there is not enough memory: 2.50 GiB more were needed at once",
        ),
        (PermissionError(13, "Permission denied", "/x/y"), "/x/y: permission denied"),
        (OSError(28, "No space left on device"), "no space left on device"),
    ],
)
def test_what_the_machine_refuses_is_explained(error, problem):
    assert explain(error).problem == problem
    assert explain(error).hint


@pytest.mark.parametrize("error", [RuntimeError("size mismatch"), OSError("odd")])
def test_faults_of_ours_are_not(error):
    assert explain(error) is None


def test_a_problem_of_several_lines_becomes_one(capsys):
    report(EverlearnError("first\nsecond", "third\nfourth"))
    assert capsys.readouterr().err == "error: first second\nhint: third fourth\n"


def test_without_a_hint_there_is_one_line(capsys):
    report(EverlearnError("alone"))
    assert capsys.readouterr().err == "error: alone\n"
