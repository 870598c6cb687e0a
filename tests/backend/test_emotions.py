import numpy as np
import pytest

from backend import emotions, errors
from backend.messages import EmotionSpan

FPS = 30
# Two emotions of one feature each, beside one that the voice alone has.
COLOURS = emotions.Palette(
    ("neutral", "happy", "angry"), np.array([0, 0.4, 1], np.float32),
    np.array([[[0, 0], [0, 0], [0, 0]], [[0, 0], [2, 0], [4, 0]], [[0, 0], [0, 1], [0, 8]]],
             np.float32))


def painted(*spans, frames=120, felt=(0.0, 0.0)):
    heard = np.tile(np.array(felt, np.float32), (frames, 1))
    return emotions.painted(heard, spans, COLOURS, FPS)


@pytest.mark.parametrize(("intensity", "feature"), [(0, 0), (0.2, 1), (0.4, 2), (0.7, 3), (1, 4),
                                                    (1.5, 6)])
def test_intensity_walks_along_the_prototypes_and_beyond(intensity, feature):
    assert COLOURS.features("happy", intensity)[0] == pytest.approx(feature)


def test_without_spans_the_voice_rules():
    assert (painted(felt=(3, 1)) == np.array([3, 1], np.float32)).all()


def test_a_span_rules_inside_and_the_voice_outside():
    mixed = painted(EmotionSpan("happy", 1.0, 1.0, 3.0), felt=(0, 8))
    assert mixed[45:76].tolist() == [[4, 0]] * 31
    assert mixed[:17].tolist() == [[0, 8]] * 17
    assert mixed[30].tolist() == [2, 4]


def test_a_span_without_edges_fills_the_sound_without_a_fade():
    assert painted(EmotionSpan("happy")).tolist() == [[4, 0]] * 120
    assert painted(EmotionSpan("happy", 1.0, 0.0, 4.0)).tolist() == [[4, 0]] * 120


def test_neighbours_go_over_into_each_other_with_no_voice_between():
    mixed = painted(EmotionSpan("happy", 1, None, 2.0), EmotionSpan("angry", 1, 2.0), felt=(99, 99))
    np.testing.assert_allclose(mixed[:, 0] / 4 + mixed[:, 1] / 8, 1, atol=1e-6)
    assert np.abs(np.diff(mixed[:, 0])).max() < 4 * 1.6 / (emotions.FADE_S * FPS)


@pytest.mark.parametrize(("first", "second", "length_s"), [(0.8, 0.2, 1.0), (0.2, 0.8, 1.0),
                                                            (0.0, 1.5, 0.3), (None, 0.0, 0.1)])
def test_neighbours_of_different_fades_and_lengths_go_over_in_that_of_the_one_that_comes(
        first, second, length_s):
    mixed = painted(EmotionSpan("happy", 1, None, 2.0, first),
                    EmotionSpan("angry", 1, 2.0, 2.0 + length_s, second),
                    EmotionSpan("happy", 1, 2.0 + length_s, None, first), felt=(99, 99))
    np.testing.assert_allclose(mixed[:, 0] / 4 + mixed[:, 1] / 8, 1, atol=1e-5)
    angry = mixed[:60 + round(length_s * FPS / 2), 1]
    fading = np.count_nonzero((angry > 1e-6) & (angry < 8 - 1e-5))
    assert fading <= max(1, round(min(second, length_s) * FPS))


def test_emotions_over_each_other_meet_halfway():
    assert painted(EmotionSpan("happy"), EmotionSpan("angry"))[0].tolist() == pytest.approx([2, 4])


def test_weights_blend_two_emotions_and_leave_the_rest_to_the_voice():
    blend = EmotionSpan("happy", weight=0.75), EmotionSpan("angry", weight=0.25)
    assert painted(*blend, felt=(99, 99))[0].tolist() == pytest.approx([3, 2])
    assert painted(EmotionSpan("happy", weight=0.5), felt=(0, 8))[0].tolist() == [2, 4]


def test_a_span_comes_and_goes_within_its_own_fade():
    sudden = painted(EmotionSpan("happy", 1.0, 1.0, 3.0, fade_s=0.0))[:, 0]
    assert np.flatnonzero(sudden == 4).tolist() == list(range(31, 90))
    slow = painted(EmotionSpan("happy", 1.0, 1.0, 3.0, fade_s=1.0))[:, 0]
    assert (slow[[15, 30, 45]] == [0, 2, 4]).all() and 0 < slow[16] < 0.1


@pytest.mark.parametrize(("start_s", "end_s"), [(0.09, 3.91), (-0.2, 9.0)])
def test_an_end_within_a_tenth_of_a_second_of_the_sounds_own_does_not_fade(start_s, end_s):
    assert painted(EmotionSpan("happy", 1.0, start_s, end_s)).tolist() == [[4, 0]] * 120


@pytest.mark.parametrize(("start_s", "end_s"), [(4.0, 6.0), (4.1, None), (-2.0, 0.0)])
def test_a_span_beside_the_sound_does_not_fade_into_it(start_s, end_s):
    assert painted(EmotionSpan("happy", 1.0, start_s, end_s)).tolist() == [[0, 0]] * 120


def test_a_short_span_still_reaches_its_emotion():
    assert painted(EmotionSpan("happy", 1.0, 2.0, 2.2))[:, 0].max() == pytest.approx(4, abs=0.1)


@pytest.mark.parametrize(("span", "message"), [
    (EmotionSpan("bored"), "no emotion 'bored'. Choose one of: neutral, happy, angry."),
    (EmotionSpan("happy", 1.6), "'happy' has the intensity 1.6. Choose 0 to 1.5."),
    (EmotionSpan("happy", -0.1), "intensity -0.1"),
    (EmotionSpan("happy", float("nan")), "intensity nan"),
    (EmotionSpan("happy", 1.0, 2.0, 2.0), "lasts from 2 s to 2 s"),
    (EmotionSpan("happy", fade_s=-1), "comes and goes within -1 s. Choose 0 or more."),
    (EmotionSpan("happy", weight=1.5), "has the weight 1.5. Choose 0 to 1."),
])
def test_an_impossible_span_is_refused(span, message):
    with pytest.raises(errors.RequestError, match=message.replace(".", r"\.")):
        emotions.check([span], COLOURS.names)
