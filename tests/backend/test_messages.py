import json

import pytest

from backend import errors, messages
from backend.messages import (
    Cancel,
    Done,
    EmotionSpan,
    Failed,
    Generate,
    Heard,
    Hello,
    Listen,
    PackInfo,
    Progress,
    Redo,
    Shutdown,
)

EXAMPLES = [
    Hello(1, "0.1.0", "cpu", "cpu; not cuda", (PackInfo("gldi-flame", "/modèles/x", "gldi",
                                                        "flame", 5023, 30.0, ("a", "b"), ()),)),
    Generate("7", "/tmp/a b/été.wav", "gldi-flame", "/tmp", 3, 12, "a", 2, 0.5, 2.0, 1.5, 0.8,
             (EmotionSpan("happy", 0.5, 1.0, 2.0, 0.1, 0.7), EmotionSpan("sad"))),
    Generate("8", "a.wav", "p", "", redo=Redo("/tmp/m.npz", 1.5, 2.0)),
    Listen("9", "a.wav", "exptalk-flame", 0.5, 2.0, 1.5, 0.8),
    Heard("9", (EmotionSpan("sad", 0.7, 0.0, 2.0),)), Cancel("7"), Shutdown(),
    Progress("7", "imagine", 3, 12), Done("7", ("/tmp/motion.npz",), 0.25, {"load": 0.1}),
    Failed("7", "audio_silent", "m", "h")]


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: type(message).__name__)
def test_every_message_survives_the_line(message):
    line = messages.encode(message)
    assert line.isascii() and "\n" not in line
    assert messages.decode(line) == message


def test_fields_left_out_take_their_defaults():
    line = '{"type": "Generate", "id": "1", "audio": "a", "pack": "p", "out_dir": "o"}'
    assert messages.decode(line) == Generate("1", "a", "p", "o", 0, None, None, 1)


def test_a_whole_number_serves_where_a_fraction_is_due():
    fields = {"type": "Generate", "id": "1", "audio": "a", "pack": "p", "out_dir": "o", "speed": 2}
    assert messages.decode(json.dumps(fields)).speed == 2.0


@pytest.mark.parametrize(("line", "what"), [
    ("nonsense", "not a message"),
    ("[1, 2]", "unknown message type None"),
    ('{"type": "Explode"}', "'Explode'"),
    ('{"type": "Cancel"}', "'id' is missing"),
    ('{"type": "Cancel", "id": 5}', "'id' must be text, not 5"),
    ('{"type": "Cancel", "id": "1", "now": true}', "unknown field 'now'"),
    ('{"type": "Progress", "id": "1", "stage": "load", "done": true, "total": 1}', "whole number"),
    ('{"type": "Progress", "id": "1", "stage": "load", "done": NaN, "total": 1}', "NaN"),
    ('{"type": "Cancel", "id": "1", "id": "2"}', "twice"),
    ("[" * 100000, "deeply"),
    (json.dumps({"type": "Generate", "id": "1", "audio": "a", "pack": "p", "out_dir": "o",
                 "start_s": 10**400}), r"'start_s' must be a finite number, not 1000"),
])
def test_a_bad_line_is_refused_with_its_fault(line, what):
    with pytest.raises(errors.MessageError, match=what):
        messages.decode(line)


def test_a_fault_inside_a_list_is_named_by_its_place():
    line = ('{"type": "Generate", "id": "1", "audio": "a", "pack": "p", "out_dir": "o",'
            ' "emotions": [{"name": "happy"}, {"name": 3}]}')
    with pytest.raises(errors.MessageError, match=r"emotions\[1\]\.name"):
        messages.decode(line)


@pytest.mark.parametrize(("line", "name"), [
    ('{"type": "Generate", "id": "9", "seed": "x"}', "9"), ('{"id": 4}', ""), ("nonsense", "")])
def test_the_job_of_a_bad_line_is_found_where_it_names_one(line, name):
    assert messages.request_id(line) == name
