"""A worker for tests: python fake_worker.py BEHAVIOUR [MOTION]; answers each Generate that way."""

import json
import os
import signal
import sys
import time

BEHAVIOUR, *REST = sys.argv[1:]


def say(kind: str, **fields: object) -> None:
    print(json.dumps({"type": kind, **fields}), flush=True)


def answer(request: dict) -> None:
    name = request["id"]
    if BEHAVIOUR == "done":
        say("Progress", id=name, stage="imagine", done=1, total=4)
        say("Done", id=name, paths=REST, seconds=0.1, timings={"imagine": 0.1})
    elif BEHAVIOUR == "fails":
        say("Failed", id=name, code="audio_silent", message="Nothing to hear.", hint="Speak up.")
    elif BEHAVIOUR == "dies":
        print("out of luck", file=sys.stderr)
        os.kill(os.getpid(), signal.SIGKILL)
    elif BEHAVIOUR == "stops":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif BEHAVIOUR == "babbles":
        print("hello from a stray print", flush=True)


if BEHAVIOUR == "mute":
    time.sleep(60)
say("Hello", protocol=2 if BEHAVIOUR == "newer" else 1, version="0", device="cpu",
    device_note="", packs=[])
for line in sys.stdin:
    received = json.loads(line)
    if received["type"] == "Generate":
        answer(received)
    elif received["type"] == "Cancel" and BEHAVIOUR == "obeys":
        say("Failed", id=received["id"], code="cancelled", message="Cancelled.", hint="")
    elif received["type"] == "Shutdown":
        break
