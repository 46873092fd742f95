"""Given values, when they are printed for people, then nothing of them is lost or taken for markup."""

import pytest

from overlace.terminal.output import cell, progress, show_json, show_record, show_table


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        ("", "-"),
        ([], "-"),
        ({}, "-"),
        (0, "0"),
        (False, "no"),
        (True, "yes"),
        (["a", 1], "a 1"),
        (("a", None), "a -"),
        ({"added": 3, "removed": 0}, "added=3 removed=0"),
    ],
)
def test_a_cell_says_what_is_there(value: object, text: str) -> None:
    assert cell(value) == text


def test_given_a_name_that_looks_like_markup_when_printed_then_it_stays(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_table(("name", "on"), [("[red]web[/red]", True)])
    show_record({"name": "[bold]db"})
    printed = capsys.readouterr().out
    assert "[red]web[/red]" in printed
    assert "[bold]db" in printed


def test_given_a_pipe_when_a_row_is_long_then_it_stays_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(("a", "b"), [("x" * 100, "y" * 100)])
    assert f"{'x' * 100}   {'y' * 100}" in capsys.readouterr().out


def test_given_a_pipe_when_work_takes_long_then_progress_is_silent(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress("working") as report:
        report("still")
    show_json({"done": True})
    captured = capsys.readouterr()
    assert captured.out == '{\n  "done": true\n}\n'
    assert captured.err == ""
