"""Sound and keys stay together for ten minutes at every frame rate."""

from types import SimpleNamespace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import audio_source, blender_compat, closures, takes  # noqa: E402
from tests.addon import sequencer  # noqa: E402

RATES = [(24, 1.001), (30, 1.001), (60, 1.001), (24, 1.0), (25, 1.0), (30, 1.0), (60, 1.0)]


@pytest.fixture(params=RATES, ids=lambda rate: f"{rate[0] / rate[1]:.3f}")
def fps(request, scene):
    """The scene plays at a rate; as Blender keeps it, 24 / 1.001 to seven digits."""
    scene.render.fps, scene.render.fps_base = request.param
    assert audio_source.scene_fps(scene) == pytest.approx(request.param[0] / request.param[1], 1e-7)
    return audio_source.scene_fps(scene)


def test_a_click_after_ten_minutes_is_mixed_to_its_frame(scene, fps, write_wav, tmp_path):
    editor, late = scene.sequence_editor_create(), round(600 * fps)
    path = write_wav(sequencer.clicks(2, (0.5,)))
    for channel, frame in ((1, 1), (2, late)):
        sequencer.add_sound(editor, path, channel, frame, f"Line {channel}")
    placed = audio_source.place(bpy.context, str(tmp_path))
    assert list(placed.mixing)[-1] == 1.0
    frames = placed.first_frame + sequencer.clicks_in(placed.sound.path) * fps
    np.testing.assert_allclose(frames, [1 + fps / 2, late + fps / 2], atol=0.02)


def test_a_trim_after_ten_minutes_is_the_same_second_of_the_file(scene, fps, write_wav, tmp_path):
    path = write_wav(sequencer.clicks(620, ()), rate_hz=1000)
    strip = sequencer.add_sound(scene.sequence_editor_create(), path)
    first = 1 + round(600 * fps)
    blender_compat.set_handles(strip, first, first + 60)
    placed = audio_source.place(bpy.context, str(tmp_path))
    assert placed.sound.start_s * fps == pytest.approx(first - 1, abs=1e-6)
    assert placed.first_frame == first


def test_a_key_after_ten_minutes_has_the_value_of_its_own_second(fps):
    # Values count motion frames from the end on, for float32 has few digits for large numbers.
    values = np.arange(-600 * 30, 1, dtype=np.float32)[:, None]
    frames = np.arange(round(599 * fps), round(600 * fps))
    take = SimpleNamespace(values=values, fps=30.0, shut=closures.NONE)
    found = takes.values_at(take, frames / fps)[:, 0]
    np.testing.assert_allclose((found.astype(float) + 600 * 30) * fps / 30, frames,
                               rtol=0, atol=1e-3)
