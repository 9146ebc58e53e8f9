"""`make test`: every check and every test, with the servers that they need, and a table of them at the end.

python -m curbe.dev.suite                       everything
python -m curbe.dev.suite --only checks         what `make lint` does (checks, javascript, tests, browser)
python -m curbe.dev.suite --only tests -- tests/agents -k sweep      the rest goes to pytest
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from curbe.dev import chromium, config, console, node, ports, setup
from curbe.dev.errors import UnableToStart
from curbe.dev.processes import spawn, stop
from curbe.dev.stack import Stack
from curbe.dev.steps import Step, checks, environment_of_tests, javascript

GROUPS = ("checks", "javascript", "tests", "browser")
LANES = 2  # checks side by side: one per core of the smallest machine
NO_TESTS = 5  # pytest's exit code when it ran none


@dataclass(frozen=True, slots=True)
class PytestRun:
    """One process of pytest; `files` is the glob pattern of the test files that it must find tests in."""

    name: str
    group: str
    options: tuple[str, ...]
    paths: tuple[str, ...]
    files: str


# What sounds runs one after the other, on an otherwise quiet machine. The house's own browser tests hold one browser,
# and with it an event loop, for all of them; the sandbox's bring a loop each: so they are two processes.
ONE_BY_ONE = ("-m", "browser", "-p", "no:randomly")
PYTEST_RUNS = (
    PytestRun("tests", "tests", ("-m", "not browser", "-n", "2"), (), "tests/**/test_*.py"),
    PytestRun("browser: sandbox", "browser", ONE_BY_ONE, ("--ignore=tests/browser",), "tests/sandbox*/test_browser.py"),
    PytestRun("browser: house", "browser", ONE_BY_ONE, ("tests/browser",), "tests/browser/test_*.py"),
)


@dataclass(frozen=True, slots=True)
class Result:
    name: str
    seconds: float
    verdict: str  # "passed", "failed", or why it did not run

    @property
    def failed(self) -> bool:
        return self.verdict == "failed"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m curbe.dev.suite", description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=GROUPS, action="append", help="run this group of steps; may stand twice")
    parser.add_argument("pytest", nargs="*", help="arguments for pytest")
    options = parser.parse_args(arguments)
    setup.end_as_asked()
    try:
        os.chdir(config.ROOT)
        return run(options.only or GROUPS, options.pytest)
    except UnableToStart as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        console.say("\nStopped.")
        return 130


def run(groups: Sequence[str], pytest_arguments: Sequence[str]) -> int:
    began = time.monotonic()
    chosen = config.read(os.environ, default_data=".data-test")
    setup.prepare()
    results: list[Result] = []
    environment = environment_of_tests(os.environ)
    with Stack(data=chosen.data, ports=_ports(chosen), env=environment, throwaway=True) as stack:
        console.step("Starting PostgreSQL and Redis")
        stack.start_servers()
        if (config.ROOT / "telephony" / "sandbox" / "__main__.py").is_file():
            stack.run([sys.executable, "-m", "telephony.sandbox", "--prepare", "--data", str(stack.data)])
        quick = checks() if "checks" in groups else []
        quick += javascript(node.find()) if "javascript" in groups else []
        results += run_side_by_side(quick, stack.env, outputs=stack.logs)
        for tests in PYTEST_RUNS:
            if tests.group in groups:
                browser = {"CHROMIUM": chromium.ensure()} if tests.group == "browser" else {}
                results.append(run_pytest(tests, pytest_arguments, {**stack.env, **browser}))
    _print_table(results, time.monotonic() - began)
    return 1 if any(result.failed for result in results) else 0


def _ports(chosen: config.Config) -> dict[str, int]:
    """Return the ports that the environment names, or free ones: the tests of two checkouts run beside each other."""
    if any(os.environ.get(name) for name in chosen.ports):
        return chosen.ports
    free: dict[str, int] = {}
    for name in chosen.ports:
        free[name] = ports.choose(remembered=None, taken=free.values())
    return free


def run_side_by_side(steps: Sequence[Step], env: Mapping[str, str], *, outputs: Path) -> list[Result]:
    """Run the steps, a few at a time, and say each one's result; what a failed one printed is shown whole."""
    waiting = deque(steps)
    running: dict[Step, tuple[subprocess.Popen[bytes], Path, float]] = {}
    results: list[Result] = []
    try:
        while waiting or running:
            while waiting and len(running) < LANES:
                step = waiting.popleft()
                if step.why_not is not None:
                    results.append(Result(step.name, 0.0, step.why_not))
                    continue
                output = outputs / f"check-{re.sub('[^a-z]+', '-', step.name)}.log"
                with output.open("wb") as file:
                    command = spawn(step.command, env={**env, **step.env}, cwd=config.ROOT, stdout=file)
                running[step] = (command, output, time.monotonic())
            for step in [step for step, (command, _, _) in running.items() if command.poll() is not None]:
                command, output, began = running.pop(step)
                text = output.read_text(encoding="utf-8", errors="replace")
                results.append(_judge(step, command.returncode, text, time.monotonic() - began))
            time.sleep(0.02)
    finally:
        for command, _, _ in running.values():
            stop(command)
    return results


def _judge(step: Step, code: int, text: str, seconds: float) -> Result:
    result = Result(step.name, seconds, "passed" if code == 0 else "failed")
    console.say(f"{_mark(result)} {step.name} ({seconds:.1f} s)")
    if result.failed:
        console.say(f"  $ {' '.join(step.command)}\n{text.rstrip()}\n")
    elif step.show:
        console.say("\n".join(line for line in text.splitlines() if line.strip())[-step.show :])
    return result


def run_pytest(run: PytestRun, more: Sequence[str], env: Mapping[str, str]) -> Result:
    """Run pytest on the console. That it found no test is a failure unless there is no file of such tests either."""
    paths = [] if any(Path(argument.split("::")[0]).exists() for argument in more) else run.paths
    arguments = ["-q", "--durations=8", "--durations-min=1.0", *run.options, *paths, *more]
    console.step(f"pytest {' '.join(arguments)}")
    began = time.monotonic()
    process = spawn([sys.executable, "-m", "pytest", *arguments], env=env, cwd=config.ROOT)
    try:
        code = process.wait()
    finally:
        stop(process, signum=signal.SIGINT)  # pytest then ends its fixtures, and a browser with them
    seconds = time.monotonic() - began
    if code == NO_TESTS and (more or not any(config.ROOT.glob(run.files))):
        return Result(run.name, seconds, "no such tests")
    return Result(run.name, seconds, "passed" if code == 0 else "failed")


def _print_table(results: Sequence[Result], seconds: float) -> None:
    width = max((len(result.name) for result in results), default=0)
    console.say()
    for result in results:
        verdict = result.verdict if not result.failed else console.paint("FAILED", "1;31")
        console.say(f"  {_mark(result)} {result.name:<{width}}  {result.seconds:>6.1f} s  {verdict}")
    failed = sum(result.failed for result in results)
    console.say(f"  {'all passed' if not failed else f'{failed} of {len(results)} failed'} in {seconds:.0f} s\n")


def _mark(result: Result) -> str:
    if result.verdict == "passed":
        return console.paint("✓", "32")
    return console.paint("✗", "31") if result.failed else console.paint("-", "33")


if __name__ == "__main__":
    raise SystemExit(main())
