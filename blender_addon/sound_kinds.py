"""Which sound files the worker reads itself, told by how they begin. Knows no Blender."""

START_BYTES = 64
_READ = (b"fLaC", b"ID3", b"caff", b".snd", b"riff")
# Films may begin as sounds do; these tell what is inside, 8 bytes on.
_BOXES = {b"RIFF": (b"WAVE",), b"RIFX": (b"WAVE",), b"RF64": (b"WAVE",),
          b"FORM": (b"AIFF", b"AIFC", b"8SVX")}


def is_read(start: bytes) -> bool:
    """Whether the worker reads a file that begins with these bytes: a WAV, FLAC, OGG, MP3 or AIFF,
    no film, and no AAC."""
    if start.startswith(b"OggS"):
        return b"theora" not in start
    if start[:4] in _BOXES:
        return start[8:12] in _BOXES[start[:4]]
    # An AAC begins as an MP3 does, but for the two bits of its layer.
    is_mp3 = len(start) > 1 and start[0] == 0xFF and start[1] >= 0xE0 and start[1] & 6 != 0
    return start.startswith(_READ) or is_mp3
