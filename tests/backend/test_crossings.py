import numpy as np
import pytest

from backend import crossings, emotions
from backend.codebook import Codebook
from backend.emotions import Seam
from backend.messages import EmotionSpan

FPS = 30
# Words are 0 or 1, emotions 10, 20 or 30.
CODES = Codebook((np.array([[0], [1]], np.float32), np.array([[10], [20], [30]], np.float32)))


def numbers(*emotions_at):
    """Code numbers of 150 frames whose words change all the time, and whose emotion is the one
    given last: (frame, number) pairs."""
    made = np.zeros((150, 2), np.uint16)
    made[:, 0] = np.arange(150) % 2
    for frame, number in emotions_at:
        made[frame:, 1] = 2 + number
    return made


def decoded(made, *seams, parts=((0, 150),)):
    """Words and emotion (T, 2) of the frames in parts, decoded one after the other."""
    crossed = crossings.find(seams, made, CODES, FPS)
    return np.concatenate([
        crossed.decoded(CODES.vectors(made[start:stop]), start, lambda latents: latents[:, None])
        for start, stop in parts])[:, 0]


@pytest.mark.parametrize("fade_s", [2.0, 1.0, 0.2, 1 / 30])
@pytest.mark.parametrize("late", [-6, 0, 6])
def test_the_face_goes_over_within_the_fade_whenever_the_codes_change(fade_s, late):
    face = decoded(numbers((0, 0), (75 + late, 1)), Seam(2.5, fade_s))
    share = np.clip((np.arange(150) / FPS - 2.5) / fade_s + 0.5, 0, 1)
    np.testing.assert_allclose(face[:, 1], 10 + 10 * share**2 * (3 - 2 * share), atol=2e-2)
    np.testing.assert_array_equal(face[:, 0], np.arange(150) % 2)


def test_between_two_seams_its_emotion_is_there_and_the_codes_are_its_own():
    made = numbers((0, 0), (50, 2), (100, 1))
    face = decoded(made, Seam(50 / FPS, 0.5), Seam(100 / FPS, 0.5))[:, 1]
    assert face[60:91].tolist() == [30] * 31
    assert (face[:42] == 10).all() and (face[108:] == 20).all()
    assert (np.diff(face[40:60]) >= 0).all() and (np.diff(face[90:110]) <= 0).all()


@pytest.mark.parametrize("apart", [30, 36, 45])
def test_a_decoder_that_looks_around_shows_each_emotion_whole_between_seams(apart):
    made = numbers((0, 0), (50, 2), (50 + apart, 1))
    crossed = crossings.find((Seam(50 / FPS, 0.2), Seam((50 + apart) / FPS, 0.2)), made, CODES, FPS)
    assert len(crossed.every) == 2

    def decode(latents):
        around = np.pad(latents[:, 1], 10, mode="edge")
        return np.convolve(around, np.full(21, 1 / 21), "valid")[:, None, None]

    face = crossed.decoded(CODES.vectors(made), 0, decode)[:, 0, 0]
    np.testing.assert_allclose(face[54:50 + apart - 3], 30, atol=1e-3)
    np.testing.assert_allclose(face[:47], 10, atol=1e-3)
    np.testing.assert_allclose(face[54 + apart:], 20, atol=1e-3)


def test_three_seams_in_a_row_each_go_over():
    made = numbers((0, 0), (35, 2), (75, 1), (115, 0))
    face = decoded(made, *(Seam(frame / FPS, 0.4) for frame in (35, 75, 115)))[:, 1]
    assert face[[0, 29, 41, 69, 81, 109, 121, 149]].tolist() == [10, 10, 30, 30, 20, 20, 10, 10]


def test_parts_decoded_apart_make_the_same_face():
    made = numbers((0, 0), (50, 2), (100, 1))
    seams = Seam(50 / FPS, 0.8), Seam(100 / FPS, 0.8)
    whole = decoded(made, *seams)
    np.testing.assert_array_equal(
        decoded(made, *seams, parts=((0, 47), (47, 52), (52, 101), (101, 150))), whole)


def test_without_seams_nothing_changes_and_nothing_is_decoded_twice():
    calls = []

    def decode(latents):
        calls.append(latents)
        return latents[:, None]

    made = numbers((0, 0), (75, 1))
    for seams, first, stop, times in (((), 0, 150, 1), ((Seam(2.5, 0.2),), 0, 60, 1),
                                      ((Seam(2.5, 0.2),), 90, 150, 1),
                                      ((Seam(2.5, 0.2),), 60, 90, 2)):
        calls.clear()
        crossed = crossings.find(seams, made, CODES, FPS)
        crossed.decoded(CODES.vectors(made[first:stop]), first, decode)
        assert len(calls) == times
    np.testing.assert_array_equal(decoded(made), CODES.vectors(made))


@pytest.mark.parametrize(("apart_s", "crossed"), [(0.75, 0), (0.85, 2)])
def test_seams_between_which_no_emotion_settles_are_left_to_the_network(apart_s, crossed):
    seams = Seam(2.0, 0.3), Seam(2.0 + apart_s, 0.3)
    assert len(crossings.find(seams, numbers((0, 0)), CODES, FPS).every) == crossed


@pytest.mark.parametrize(("at_s", "crossed"), [(0.05, 0), (0.35, 0), (0.45, 1), (4.55, 1),
                                               (4.65, 0), (4.95, 0)])
def test_a_seam_beside_an_end_of_the_sound_is_left_to_the_network(at_s, crossed):
    found = crossings.find((Seam(at_s, 1 / FPS),), numbers((0, 1)), CODES, FPS)
    assert len(found.every) == crossed


def test_one_codebook_tells_words_and_emotion_together_and_nothing_is_held():
    one = Codebook((CODES.books[1],))
    assert crossings.find((Seam(2.5, 0.8),), np.zeros((150, 2), np.uint16), one, FPS).every == ()


def test_a_lane_has_a_seam_wherever_it_goes_over_inside_the_sound():
    spans = (EmotionSpan("happy", 1, None, 2.0, 0.9), EmotionSpan("angry", 1, 2.0, 3.0, 0.5),
             EmotionSpan("sad", 1, 4.0, 9.0))
    assert emotions.seams(spans, 150, FPS) == (
        Seam(2.0, 0.5), Seam(3.0, 0.5), Seam(4.0, emotions.FADE_S))
    assert emotions.seams((EmotionSpan("happy", 1, 0.0, 5.0),), 150, FPS) == ()
    assert emotions.seams((EmotionSpan("happy", 1, 0.06, 4.94),), 150, FPS) == ()


def lane(*ranges):
    return tuple(EmotionSpan(name, 1, start_s, end_s, 0.4) for name, start_s, end_s in ranges)


@pytest.mark.parametrize(("spans", "at_s"), [
    (lane(("happy", None, 2), ("happy", 2, 2.9), ("sad", 2.9, None)), [2.9]),  # a cut strip
    (lane(("happy", None, 2.51), ("sad", 2.52, None)), [2.515]),
    (lane(("happy", None, 2.5), ("sad", 2.6, None)), [2.55]),  # a gap of three frames
    (lane(("happy", None, 2.6), ("sad", 2.5, None)), [2.55]),  # an overlap
    (lane(("happy", None, 2), ("sad", 3, None)), [2, 3])])
def test_ranges_that_do_not_quite_meet_have_one_seam(spans, at_s):
    found = emotions.seams(spans, 150, FPS)
    assert [seam.at_s for seam in found] == pytest.approx(at_s)
    assert {seam.fade_s for seam in found} == {0.4}


def test_a_blend_of_two_has_one_seam_where_its_shares_change():
    spans = (EmotionSpan("happy", 1, 1.0, 4.0, weight=0.5), EmotionSpan("sad", 1, 1.0, 4.0,
                                                                         weight=0.5))
    assert [seam.at_s for seam in emotions.seams(spans, 150, FPS)] == [1.0, 4.0]
