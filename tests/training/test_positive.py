"""Numbers of a command line that mean something above 0 only."""

import pytest

from training import __main__ as training
from training import positive


@pytest.mark.parametrize("command", ["train-encoder", "train-emotion", "train-stage1"])
@pytest.mark.parametrize(
    ("option", "value", "what"),
    [
        ("--minutes", "-1", "number"),
        ("--minutes", "0", "number"),
        ("--minutes", "nan", "number"),
        ("--minutes", "inf", "number"),
        ("--threads", "-1", "whole number"),
        ("--threads", "1.5", "whole number"),
    ],
)
def test_a_training_that_would_never_end_is_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], command: str, option: str, value: str, what: str
) -> None:
    assert training.main([command, "--recipe", "tiny", option, value]) == 2
    assert capsys.readouterr().err == f"{option} is {value}. Give a {what} above 0.\n"


@pytest.mark.parametrize(
    ("command", "option"),
    [
        (["evaluate"], "--steps"),
        (["evaluate", "--steps", "2", "--pack", "tiny"], "--clips"),
        (["report", "--pack", "tiny"], "--steps"),
        (["probe-emotion"], "--clips"),
        (["synth"], "--jobs"),
    ],
)
@pytest.mark.parametrize("value", ["0", "-1"])
def test_no_steps_clips_and_processes_are_refused(
    capsys: pytest.CaptureFixture[str], command: list[str], option: str, value: str
) -> None:
    assert training.main([*command, option, value]) == 2
    assert capsys.readouterr().err == f"{option} is {value}. Give a whole number above 0.\n"


def test_numbers_above_zero_are_read_as_they_are() -> None:
    assert (positive.number("--minutes")("0.5"), positive.count("--threads")("3")) == (0.5, 3)
