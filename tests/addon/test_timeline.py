"""Where a strip's sound lies in its file and on the timeline."""

from blender_addon import timeline


def strip(**changes: float) -> timeline.StripTimes:
    """A sound of 90 frames at frame 10, untrimmed."""
    plain = {"content_start": 10, "content_frames": 90, "left_handle": 10, "right_handle": 100}
    return timeline.StripTimes(**{**plain, **changes})


def test_an_untrimmed_strip_plays_all_of_its_file():
    assert timeline.audible_span(strip(), 30) == timeline.AudibleSpan(0.0, 3.0, 10)


def test_a_trimmed_strip_starts_later_in_the_file_and_on_the_timeline():
    span = timeline.audible_span(strip(left_handle=25, right_handle=70), 30)
    assert span == timeline.AudibleSpan(0.5, 1.5, 25)


def test_handles_beyond_the_sound_add_nothing():
    span = timeline.audible_span(strip(left_handle=-20, right_handle=500), 30)
    assert span == timeline.AudibleSpan(0.0, 3.0, 10)


def test_a_hard_trim_skips_the_beginning_of_the_file():
    span = timeline.audible_span(strip(skipped_frames=15), 30)
    assert span == timeline.AudibleSpan(0.5, 3.0, 10)


def test_a_sound_offset_moves_the_sound_on_the_timeline():
    span = timeline.audible_span(strip(sound_offset_s=0.25), 24)
    assert span == timeline.AudibleSpan(0.0, (100 - 16) / 24, 16)


def test_a_strip_that_shows_nothing_of_its_sound_has_no_span():
    assert timeline.audible_span(strip(left_handle=120, right_handle=150), 30) is None


def test_a_frame_is_found_in_a_scene_of_another_rate():
    assert timeline.frame_in_scene(48, 24, 30) == 60
    assert timeline.frame_in_scene(47.5, 24000 / 1001, 24000 / 1001) == 47.5


def test_first_key_frame_is_never_before_the_sound():
    firsts = [timeline.first_key_frame_up(frame) for frame in (10.0, 10.00001, 10.4, -2.5)]
    assert firsts == [10, 10, 11, -2]


def test_the_fade_lasts_at_least_one_frame():
    assert [timeline.fade_frames_nearest(fps) for fps in (1, 24, 30, 60)] == [1, 3, 4, 7]
