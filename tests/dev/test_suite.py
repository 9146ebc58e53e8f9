from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from curbe.dev.steps import OF_AN_INSTALLATION, Step, checks, environment_of_tests
from curbe.dev.suite import run_side_by_side


def step(name: str, code: str, **more: str) -> Step:
    return Step(name, (sys.executable, "-c", code), **more)  # type: ignore[arg-type]


def test_each_step_is_judged_by_its_exit_code_and_a_failed_one_shows_what_it_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = [
        step("good", "print('all is well')"),
        step("bad", "import sys; print('line 7: no'); sys.exit(2)"),
        step("absent", "", why_not="no templates yet"),
    ]

    results = run_side_by_side(steps, os.environ, outputs=tmp_path)

    assert {result.name: result.verdict for result in results} == {
        "good": "passed",
        "bad": "failed",
        "absent": "no templates yet",
    }
    assert [result.name for result in results if result.failed] == ["bad"]
    said = capsys.readouterr().out
    assert "line 7: no" in said
    assert "all is well" not in said


def test_a_step_may_have_settings_of_its_own(tmp_path: Path) -> None:
    check = Step("own", (sys.executable, "-c", "import os; assert os.environ['DEBUG'] == '0'"), env={"DEBUG": "0"})

    (result,) = run_side_by_side([check], {**os.environ, "DEBUG": "1"}, outputs=tmp_path)

    assert result.verdict == "passed"


def test_no_test_sees_what_the_environment_says_of_a_real_installation() -> None:
    environ = dict.fromkeys(OF_AN_INSTALLATION, "real") | {"HOME": "/home/ana", "DATABASE_URL": "postgres://x"}

    kept = environment_of_tests(environ)

    assert not set(OF_AN_INSTALLATION) & kept.keys()
    assert kept["HOME"] == "/home/ana"
    assert kept["DATABASE_URL"] == "postgres://x"
    assert kept["CURBE_IGNORE_DOTENV"] == "1"


def test_the_checks_without_a_subject_say_so_instead_of_passing(tmp_path: Path) -> None:
    (djade,) = [check for check in checks(tmp_path) if check.name == "djade"]

    assert djade.why_not == "no templates yet"
