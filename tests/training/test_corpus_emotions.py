"""Emotions on the face and in the voice; lips and lids that meet in them."""

import numpy as np
import pytest

from tests.training.slit_face import slit_face
from training import contact, lip_gap, rig_file
from training.corpus import casting, emotions, performance, styles
from training.corpus.articulation import GRID_HZ
from training.corpus.closures import Lids, closure_of, lids_of
from training.corpus.emotions import EMOTIONS, Span, UnknownEmotionError
from training.corpus.gestures import gaze
from training.corpus.phones import SILENCE, Phone
from training.datasets import mead

TIMES_S = np.arange(int(8 * GRID_HZ)) / GRID_HZ
QUIET = np.zeros_like(TIMES_S)


def _mood(*spans, activity=QUIET, style="Even"):
    rng = np.random.default_rng(0)
    return emotions.mood(spans, TIMES_S, activity, styles.find(style), rng)


def test_the_eight_emotions_have_3d_meads_names_and_order():
    assert tuple(EMOTIONS) == mead.EMOTIONS


@pytest.mark.parametrize("name", [n for n in EMOTIONS if n != "neutral"])
def test_each_intensity_moves_the_face_further_than_the_one_below(name):
    moods = [_mood(Span(name, level, 0.0, 8.0)) for level in (1, 2, 3)]
    sizes = [sum(w.mean() for w in (*m.upper.values(), *m.mouth.values())) for m in moods]
    assert sizes[0] < 0.65 * sizes[1] < 0.65 * sizes[2] / 1.2


def test_neutral_adds_nothing():
    mood = _mood(Span("neutral", 0, 0.0, 8.0))
    assert not mood.upper and not mood.mouth and not mood.opening_mm.any()


def test_a_shift_inside_a_line_lets_one_emotion_go_as_the_other_comes():
    mood = _mood(Span("happy", 3, 0.0, 4.0), Span("sad", 3, 4.0, 8.0))
    early, late = int(2 * GRID_HZ), int(7 * GRID_HZ)
    assert mood.mouth["mouthSmile_L"][early] > 0.55 > 0.01 > mood.mouth["mouthSmile_L"][late]
    assert mood.mouth["mouthFrown_L"][early] < 0.01 < 0.55 < mood.mouth["mouthFrown_L"][late]


def test_the_mouths_part_yields_to_speech_and_the_brows_do_not():
    still, busy = (_mood(Span("happy", 3, 0.0, 8.0), activity=QUIET + a) for a in (0, 1))
    ratio = busy.mouth["mouthSmile_L"].mean() / still.mouth["mouthSmile_L"].mean()
    assert ratio == pytest.approx(0.55)
    np.testing.assert_allclose(busy.upper["cheekSquint_L"], still.upper["cheekSquint_L"])


def test_contempt_is_on_the_stronger_side_only():
    assert set(_mood(Span("contempt", 3, 0, 8)).mouth) == {"mouthSmile_L", "mouthDimple_L"}
    crisp = _mood(Span("contempt", 3, 0, 8), style="Crisp")
    assert set(crisp.mouth) == {"mouthSmile_R", "mouthDimple_R"}


def test_an_unknown_emotion_is_named_with_the_known_ones():
    with pytest.raises(UnknownEmotionError, match=r"'bored'.*neutral, happy"):
        emotions.find("bored")


def test_anger_is_said_faster_and_sadness_slower_and_lower(monkeypatch):
    said = {}

    def speak(text, voice, stretch, pitch, spread):
        said[text] = (stretch, pitch, spread)

    monkeypatch.setattr(casting.flite, "speak", speak)
    part = casting.Part((), "flite", "slt", "en", 1.0, 0.5, "Even", "train", 0.5)
    for name in ("angry", "sad", "neutral"):
        casting._voiced(part, casting.Passage(name, name, 3 if name != "neutral" else 0))
    assert said["angry"][0] == pytest.approx(1 / 1.06) and said["sad"][0] == pytest.approx(1 / 0.82)
    assert said["sad"][1] < said["neutral"][1] < said["angry"][1]
    assert said["neutral"] == pytest.approx((1.0, 1.05, 1.0))


def test_both_eyes_look_the_same_way_and_rest_between_saccades():
    looking = gaze(TIMES_S, 1.0, np.random.default_rng(3))
    np.testing.assert_allclose(looking["eyeLookOut_L"], looking["eyeLookIn_R"])
    assert 0.02 < max(w.max() for w in looking.values()) <= 0.6
    assert (np.diff(looking["eyeLookOut_L"] - looking["eyeLookIn_L"]) == 0).mean() > 0.8
    assert gaze(TIMES_S, 0.0, np.random.default_rng(3)) == {}


NAMES = [*performance.MOUTH_SHAPES, "eyeBlink_R", "eyeBlink_L", "browDown_L"]


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    """The slit face: its lips overlap 1 mm in pucker on the left, its brow pulls the left lid."""
    face, path = slit_face(), tmp_path_factory.mktemp("lips") / "rig.npz"
    rest = face.vertices.copy()
    upper, lower = np.array(list(face.below.items())).T
    fields = np.zeros((len(NAMES), len(rest), 3))
    row = {name: k for k, name in enumerate(NAMES)}
    low = rest[:, 1] < -0.029
    low[upper[:11]] = False
    fields[row["jawOpen"], low, 1] = -0.02
    fields[row["mouthClose"], low, 1] = 0.02
    for side in "LR":
        fields[row[f"mouthLowerDown_{side}"], low, 1] = -0.003
    fields[row["mouthPucker"], low & (rest[:, 0] > 0), 1] = 0.001
    for name, own, far in (("eyeBlink_R", upper[11:18], 0.0), ("eyeBlink_L", upper[18:], 0.0)):
        fields[row[name], own, 1] = -0.006 + far
    fields[row["browDown_L"], upper[18:], 1] = -0.002
    # Eyes are open at rest.
    rest[upper[11:], 1] += 0.006
    marks = {"landmarks": face.landmarks, "faces": face.triangles, "template": rest}
    masks = {name: np.ones(len(rest), bool) for name in rig_file.MASKS}
    pairs = np.stack([upper[3:8], lower[3:8]], axis=1)
    np.savez(path, names=NAMES, fields=fields, lip_pairs=pairs, **marks, **masks)
    return path


def _phones(names):
    phones = [Phone(n, 0.4 + 0.1 * k, 0.5 + 0.1 * k) for k, n in enumerate(names.split())]
    end_s = phones[-1].end_s
    return [Phone(SILENCE, 0.0, 0.4), *phones, Phone(SILENCE, end_s, end_s + 0.4)]


def test_a_gap_is_measured_between_the_lips_surfaces(rig):
    faces = rig_file.read(rig)
    lips = lip_gap.lips_of(faces.rest, faces.faces, faces.landmarks)
    np.testing.assert_allclose(lips.gaps(faces.rest), 0.0, atol=2e-4)
    shut = faces.rest + 0.1 * faces.field("mouthClose")
    np.testing.assert_allclose(lips.gaps(shut), -0.002, atol=4e-4)


@pytest.mark.parametrize("emotion", ["neutral", "surprised", "happy", "disgusted"])
def test_rounded_lips_close_without_slit_or_overlap_in_every_emotion(rig, emotion):
    phones, gains = _phones("UW B UW M W P UW"), performance.lip_gains(rig)
    spans = [Span(emotion, 3 if emotion != "neutral" else 0, 0.0, phones[-1].end_s)]
    part = performance.Part(styles.find("Round"), spans)
    rng = np.random.default_rng(1)
    weights = performance.perform(phones, phones[-1].end_s, 60, part, gains, rng)
    closure = closure_of(rig)
    for phone in phones:
        if phone.name in "BMP":
            frame = weights[round((phone.start_s + 0.45 * 0.1) * 60)]
            widest, narrowest = closure.excess_m(frame.astype(float))
            assert widest < 5e-4 and narrowest > -5e-4


def test_lips_that_pout_in_a_pause_part_instead_of_overlapping(rig):
    gains, closure = performance.lip_gains(rig), closure_of(rig)
    weights = np.zeros((2, len(NAMES)), np.float32)
    weights[1, NAMES.index("mouthPucker")] = 1.0
    assert closure.excess_m(weights[1].astype(float))[1] < -8e-4
    parted = closure.parted(weights, gains.openings_mm(weights).min(axis=1))
    assert -4.01e-4 <= closure.excess_m(parted[1].astype(float))[1] < -1e-4
    np.testing.assert_array_equal(parted[0], weights[0])


def test_a_blink_under_a_lowered_brow_stops_where_the_lids_meet(rig):
    right, left = lids_of(rig)
    weights = np.zeros((1, len(NAMES)), np.float32)
    weights[0, [NAMES.index("eyeBlink_L"), NAMES.index("browDown_L")]] = 1.0
    eased = left.eased(weights)
    assert eased[0, NAMES.index("eyeBlink_L")] == pytest.approx(1 - 1.8 / 6, abs=0.02)
    assert isinstance(right, Lids) and np.array_equal(right.eased(weights), weights)


def test_the_line_of_contact_runs_from_corner_to_corner_over_touching_vertices():
    face = slit_face()
    line = contact.lip_contact(face.vertices, face.triangles, face.landmarks)
    gap = face.vertices[line.upper] - face.vertices[line.lower]
    assert np.abs(gap).max() < 1e-9 and len(line.upper) >= 6
    assert [line.upper[0], line.upper[-1]] == [face.landmarks[43], face.landmarks[47]]
