"""Which files hold sound that is read here, told by how they begin; Blender mixes any other."""

START_BYTES = 64
# Films may begin as sounds do; these tell what is inside, 8 bytes on.
_BOXES = {b"RIFF": (b"WAVE",), b"RIFX": (b"WAVE",), b"RF64": (b"WAVE",),
          b"FORM": (b"AIFF", b"AIFC", b"8SVX")}
_STARTS = (b"fLaC", b"OggS", b"ID3", b"caff", b".snd", b"riff", *_BOXES)


def may_be_sound(start: bytes) -> bool:
    """Whether a file that begins with these bytes is one that the audio library should open."""
    return start.startswith(_STARTS) or (start[:1] == b"\xff" and start[1:2] >= b"\xe0")


def is_read(start: bytes) -> bool:
    """Whether a file that begins with these bytes is read: a WAV, FLAC, OGG, MP3 or AIFF, no film,
    and no AAC."""
    if start.startswith(b"OggS"):
        return b"theora" not in start
    if start[:4] in _BOXES:
        return start[8:12] in _BOXES[start[:4]]
    # An AAC begins as an MP3 does, but for the two bits of its layer.
    is_aac = start[:1] == b"\xff" and start[1:2] != b"" and start[1] & 6 == 0
    return may_be_sound(start) and not is_aac
