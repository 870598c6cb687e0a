"""python -m backend <command>: animate sounds, look at models, check the machine, serve Blender."""

import argparse
import importlib
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from .errors import Cancelled, SoliloquyError

COMMANDS = {
    "animate": "animate one sound file",
    "batch": "animate every sound in a CSV list",
    "listen": "tell what emotions a model hears in a sound file",
    "models": "list the installed models",
    "check": "show versions and devices, and verify and try every installed model",
    "bench": "measure speed and memory",
    "serve": "answer requests as JSON lines on stdin and stdout",
}
DONE, BAD_INPUT, CANCELLED = 0, 2, 130


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"{self.prog}: {message}. See --help.\n")


def main(arguments: Sequence[str]) -> int:
    """Run one command; 0 done, 2 bad arguments or input (one line on stderr), 130 cancelled."""
    try:
        return _run(arguments)
    except (Cancelled, KeyboardInterrupt):
        _say("Cancelled.")
        return CANCELLED
    except SoliloquyError as problem:
        _say(str(problem))
        return BAD_INPUT
    except ModuleNotFoundError as problem:
        _say(f"The Python package '{problem.name}' is missing. Install it, or Soliloquy with its "
             "extra 'backend'.")
        return BAD_INPUT


def _say(line: str) -> None:
    """A line on stderr; on a terminal it takes the place of the progress."""
    print(f"\r{line:20}" if sys.stderr.isatty() else line, file=sys.stderr)


def _run(arguments: Sequence[str]) -> int:
    """Only the chosen command's module is imported, so that the others cost nothing."""
    chosen = next((word for word in arguments if word in COMMANDS), None)
    parser = Parser(prog="python -m backend", description=__doc__)
    table = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, summary in COMMANDS.items():
        entry = table.add_parser(name, help=summary, description=f"{summary}.")
        if name == chosen:
            module = importlib.import_module(f".commands.{name}", __package__)
            module.add_arguments(entry)
            entry.set_defaults(run=module.run)
    options = parser.parse_args(arguments)
    code: int = options.run(options)
    return code


if __name__ == "__main__":
    # As Ctrl+C, so that what is half written goes.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))
