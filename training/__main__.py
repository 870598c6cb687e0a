"""``python -m training COMMAND``: a table from command to module."""

import argparse
import importlib
import sys
from collections.abc import Sequence

from backend.errors import SoliloquyError

COMMANDS = {
    "prepare": "training.prepare",
    "adopt": "training.adopt",
    "transcribe": "training.corpus.transcription",
    "synth": "training.corpus.synth",
    "statistics": "training.corpus.statistics",
    "train-encoder": "training.encoder_training",
    "train-emotion": "training.emotion_training",
    "rig": "training.rig",
    "rig-head": "training.head_rig",
    "sheet": "training.sheet",
    "correspond": "training.correspondence",
    "borrow": "training.borrow",
    "train-stage1": "training.stage1",
    "train-stage2": "training.stage2",
    "evaluate": "training.evaluate",
    "probe-emotion": "training.exptalk.probe",
    "figures": "training.exptalk.figures",
    "compare": "training.compare",
    "report": "training.report.command",
    "export": "training.export",
    "parity": "training.parity",
    "label": "training.label",
}


def main(argv: Sequence[str]) -> int:
    """Run one command; 0 done, 2 bad arguments or bad input, 130 cancelled."""
    parser = argparse.ArgumentParser(prog="python -m training")
    parser.add_argument("command", choices=COMMANDS)
    command = parser.parse_args(argv[:1]).command
    module = importlib.import_module(COMMANDS[command])
    own = argparse.ArgumentParser(prog=f"python -m training {command}", description=module.__doc__)
    module.add_arguments(own)
    try:
        module.run(own.parse_args(argv[1:]))
    except SoliloquyError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
