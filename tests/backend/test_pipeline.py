import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend import audio, errors, motion, pack, pipeline, sessions
from backend.codebook import Codebook
from backend.messages import EmotionSpan, Generate
from tests.data import make_tiny_pack

CPU = sessions.Device("cpu", "cpu")


@pytest.fixture
def generator(tiny_pack):
    return pipeline.Generator(pack.load(tiny_pack), CPU)


def sound(samples):
    return audio.Sound(samples, 16000, len(samples) / 16000)


def job(path, **wishes):
    return Generate("1", str(path), "", "", **wishes)


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(("samples", "frames"), [(1, 1), (400, 1), (1600, 3), (1601, 4),
                                                 (16000, 30), (24000, 45)])
def test_frames_cover_the_sound(generator, samples, frames):
    made = generator.generate(sound(np.full(samples, 0.3, dtype=np.float32)))
    assert made.displacements.shape == (frames, 42, 3)
    assert np.isfinite(made.displacements).all()


def test_the_mouth_opens_with_the_sound_and_rests_in_the_pause(generator, voice):
    moved = generator.generate(sound(voice)).displacements[:, :, 1]
    opening = -moved.min(axis=1)
    assert opening[5:10].min() > 0.03 and opening[35:40].min() > 0.03
    assert opening[18:27].max() == 0.0


def test_the_same_request_gives_the_same_bytes_and_another_seed_others(generator, voice, write_wav,
                                                                       tmp_path):
    wav = write_wav(voice)
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        generator.run(job(wav, seed=seed), [tmp_path / name])
    assert sha256(tmp_path / "a") == sha256(tmp_path / "b") != sha256(tmp_path / "c")


def test_the_file_says_of_which_codes_it_is_made(generator, voice, write_wav, tmp_path):
    generator.run(job(write_wav(voice), seed=4), [tmp_path / "m.npz"])
    codes = motion.load(tmp_path / "m.npz").codes
    assert codes.pack == generator.pack.fingerprint and codes.numbers.shape == (45, 2)
    remade = np.concatenate(list(generator.decode(codes.numbers)))
    np.testing.assert_array_equal(remade, motion.load(tmp_path / "m.npz").displacements)


def test_takes_are_the_following_seeds(generator, voice, write_wav, tmp_path):
    wav = write_wav(voice)
    paths = pipeline.take_paths(tmp_path / "m.npz", 3)
    assert [path.name for path in paths] == ["m_take1.npz", "m_take2.npz", "m_take3.npz"]
    generator.run(job(wav, seed=5, takes=3), paths)
    generator.run(job(wav, seed=7), [tmp_path / "seven.npz"])
    assert motion.load(paths[0]).seed == 5
    assert sha256(paths[2]) == sha256(tmp_path / "seven.npz")


@pytest.mark.parametrize("takes", [0, -1, 5000])
def test_an_impossible_number_of_takes_is_refused(takes):
    with pytest.raises(errors.RequestError, match=f"{takes} takes"):
        pipeline.take_paths("m.npz", takes)


def test_the_file_says_whose_motion_it_is(generator, voice, write_wav, tmp_path):
    done = generator.run(job(write_wav(voice), seed=9), [tmp_path / "new folder" / "m.npz"])
    made = motion.load(done.paths[0])
    assert made.info == motion.MotionInfo(30.0, "tiny", "tiny-test", 9, 1.5)
    assert sorted(done.timings) == ["decode", "imagine", "listen", "load"]
    assert done.seconds >= sum(done.timings.values()) - 1e-6


def test_the_style_changes_the_motion(generator, voice):
    calm, lively = (generator.generate(sound(voice), style=name).displacements
                    for name in ("calm", "lively"))
    assert np.abs(calm - lively).max() > 1e-3
    np.testing.assert_array_equal(calm, generator.generate(sound(voice)).displacements)


def test_a_blend_of_styles_lies_between_them(generator, voice):
    heard = generator.listen(sound(voice))
    calm, lively, blend = (generator.imagine(heard, seed=0, style=wish)
                           for wish in ("calm", "lively", "calm:3,lively:1"))
    np.testing.assert_allclose(blend, 0.75 * calm + 0.25 * lively, atol=1e-6)


def test_long_sounds_go_through_windows_without_a_seam(generator):
    samples = 0.2 + 0.1 * np.sin(np.arange(130 * 16000) / 16000).astype(np.float32)
    heard = generator.listen(sound(samples.astype(np.float32)))
    latents = generator.imagine(heard, seed=0)
    assert heard.shape == (3900, 2)
    np.testing.assert_allclose(heard[1:-1, 0], 0.2 + 0.1 * np.sin(np.arange(1, 3899) / 30),
                               atol=1e-4)
    np.testing.assert_allclose(latents[:, 0], 8 * heard[:, 0], atol=1e-4)
    blocks = list(generator.decode(generator.quantise(latents)))
    assert len(blocks) == 8 and sum(map(len, blocks)) == 3900


def test_windows_give_what_one_pass_would(generator, monkeypatch, voice):
    whole = generator.generate(sound(voice), seed=4).displacements
    monkeypatch.setattr(pipeline, "WINDOW_S", 0.5)
    monkeypatch.setattr(pipeline, "OVERLAP_S", 0.1)
    monkeypatch.setattr(pipeline, "LISTEN_S", 0.5)
    monkeypatch.setattr(pipeline, "CONTEXT_S", 0.1)
    np.testing.assert_allclose(generator.generate(sound(voice), seed=4).displacements, whole,
                               atol=1e-6)


def test_progress_runs_through_every_stage_to_its_end(generator, voice, write_wav, tmp_path):
    seen = []
    generator.run(job(write_wav(voice), steps=3), [tmp_path / "m.npz"],
                  lambda *report: seen.append(report))
    assert list(dict.fromkeys(stage for stage, _, _ in seen)) == [
        "load", "listen", "imagine", "decode", "write"]
    assert [(done, total) for stage, done, total in seen if stage == "imagine"] == [
        (0, 3), (1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("stage", ["load", "listen", "imagine", "decode"])
def test_stopping_at_any_stage_leaves_no_file(generator, voice, write_wav, tmp_path, stage):
    def stop(at, done, total):
        if at == stage:
            raise errors.Cancelled

    out = tmp_path / "out"
    with pytest.raises(errors.Cancelled):
        generator.run(job(write_wav(voice)), [out / "m.npz"], stop)
    assert not out.exists()


def test_a_folder_that_its_owner_removed_meanwhile_is_not_made_again(generator, voice, write_wav,
                                                                     tmp_path):
    def give_up(stage, _done, _total):
        if stage == "imagine" and out.exists():
            out.rmdir()

    out = tmp_path / "out"
    with pytest.raises(errors.RequestError, match=r"m\.npz' cannot be written: No such file"):
        generator.run(job(write_wav(voice)), [out / "m.npz"], give_up)
    assert not out.exists()


def test_a_place_that_cannot_be_is_told_before_the_long_work(generator, voice, write_wav, tmp_path):
    seen, wav = set(), write_wav(voice)
    with pytest.raises(errors.RequestError, match="cannot be written: Not a directory"):
        generator.run(job(wav), [wav / "in" / "m.npz"], lambda stage, *_: seen.add(stage))
    assert seen == {"load", "listen"}


@pytest.mark.parametrize(("wishes", "code"), [
    ({"style": "furious"}, "style_unknown"), ({"style": "calm:x"}, "bad_style"),
    ({"steps": 0}, "bad_steps"),
    ({"steps": 1001}, "bad_steps"), ({"seed": -1}, "bad_seed"), ({"seed": 2**63}, "bad_seed"),
    ({"emotions": (EmotionSpan("happy"),)}, "no_emotions")])
def test_an_impossible_wish_is_refused_before_any_work(generator, tmp_path, wishes, code):
    with pytest.raises(errors.RequestError) as caught:
        generator.run(job("no such file.wav", **wishes), [tmp_path / "m.npz"])
    assert caught.value.code == code


def test_a_result_never_replaces_the_sound_or_a_folder(generator, voice, write_wav, tmp_path):
    wav = write_wav(voice)
    for place in (wav, tmp_path):
        with pytest.raises(errors.RequestError, match="Choose another file name"):
            generator.run(job(wav), [place])
    assert audio.load(wav).seconds == 1.5


@pytest.mark.parametrize("name", ["ddpm", "dpmpp_2m"])
def test_a_pack_of_another_sampler_runs_as_such(tmp_path, voice, name):
    made = make_tiny_pack.make(tmp_path / "pack")
    manifest = replace(made.manifest, sampler=pack.DefaultSampler(name, 10, 0.0))
    generator = pipeline.Generator(pack.write(made.path, manifest), CPU)
    assert generator.generate(sound(voice)).displacements.shape == (45, 42, 3)


def test_a_pack_of_flame_size_and_another_frame_rate_runs(tmp_path, voice):
    made = make_tiny_pack.make(tmp_path / "pack", vertex_count=5023, topology="flame", fps=25.0)
    done = pipeline.Generator(made, CPU).generate(sound(voice))
    assert done.displacements.shape == (38, 5023, 3) and done.topology == "flame"


def test_a_codebook_of_another_width_is_refused(tmp_path):
    made = make_tiny_pack.make(tmp_path / "pack")
    np.savez(made.path / "codebook.npz", codes=np.zeros((4, 3), dtype=np.float32))
    with pytest.raises(errors.PackError, match=r"\(4, 3\), not float32 \(N, 2\)"):
        pipeline.Generator(pack.write(made.path, made.manifest), CPU)


def test_each_vector_takes_its_nearest_code():
    codes = np.array([[0, 0], [1, 0], [0, 1]], dtype=np.float32)
    latents = np.array([[0.9, 0.2, 0.1, 0.7]], dtype=np.float32)
    book = Codebook((codes,))
    assert book.nearest(latents).tolist() == [[1, 2]] and book.nearest(latents).dtype == np.uint16
    np.testing.assert_array_equal(book.vectors(book.nearest(latents)), [[1, 0, 0, 1]])


def test_each_half_of_the_components_has_its_own_codebook():
    books = Codebook((np.array([[0], [1]], np.float32), np.array([[5], [9], [1]], np.float32)))
    latents = np.array([[0.9, 0.9], [0.2, 8.0]], dtype=np.float32)
    assert books.nearest(latents).tolist() == [[1, 4], [0, 3]]
    assert books.vectors(books.nearest(latents)).tolist() == [[1, 1], [0, 9]]


@pytest.fixture
def emotional(tmp_path):
    return pipeline.Generator(make_tiny_pack.make_emotional(tmp_path / "emotional"), CPU)


def brow_m(generator, samples, *spans):
    """How far the brow is lifted, each frame."""
    return generator.generate(sound(samples), spans=spans).displacements[:, :, 1].max(axis=1)


def test_the_voice_s_own_emotion_shows(emotional):
    higher = np.linspace(0, 0.99, 48000).astype(np.float32)
    lifted = brow_m(emotional, higher)
    assert lifted[:10].max() == 0 and lifted[-5:].min() == pytest.approx(0.5 * 0.01, abs=1e-6)


def test_a_wanted_emotion_rules_where_it_is_painted(emotional, voice):
    quiet = brow_m(emotional, voice)
    lifted = brow_m(emotional, voice, EmotionSpan("surprised", 1.0, 1.0))
    np.testing.assert_array_equal(lifted[:18], quiet[:18])
    assert lifted[-1] == pytest.approx(2 * 0.01, abs=1e-6)


@pytest.mark.parametrize("fade_s", [0.4, 1.0])
def test_a_painted_emotion_comes_within_its_fade(emotional, fade_s):
    lifted = brow_m(emotional, np.full(48000, 0.1, np.float32),
                    EmotionSpan("neutral", 1.0, None, 1.5),
                    EmotionSpan("surprised", 1.0, 1.5, None, fade_s)) / 0.02
    share = np.clip((np.arange(len(lifted)) / 30 - 1.5) / fade_s + 0.5, 0, 1)
    np.testing.assert_allclose(lifted, share**2 * (3 - 2 * share), atol=0.01)


def test_a_job_with_emotions_writes_what_generate_makes(emotional, voice, write_wav, tmp_path):
    span = EmotionSpan("angry", 1.5)
    emotional.run(job(write_wav(voice), emotions=(span,)), [tmp_path / "m.npz"])
    made = motion.load(tmp_path / "m.npz").displacements
    assert made[:, :, 1].min() <= -1.5 * 0.01 + 1e-6


def test_each_take_is_made_without_emotion_as_well_where_that_is_wanted(
        emotional, voice, write_wav, tmp_path):
    wanted = job(write_wav(voice), seed=3, emotions=(EmotionSpan("surprised"),), neutral=True)
    done = emotional.run(wanted, [tmp_path / "a.npz", tmp_path / "b.npz"])
    assert [Path(path).name for path in done.paths] == [
        "a.npz", "b.npz", "a_neutral.npz", "b_neutral.npz"]
    made = [motion.load(path) for path in done.paths]
    assert [each.seed for each in made] == [3, 4, 3, 4]
    for felt, calm in zip(made[:2], made[2:], strict=True):
        change = np.abs(felt.displacements - calm.displacements).max(axis=(0, 1))
        np.testing.assert_allclose(change, [0, 0.02, 0], atol=1e-6)


def test_the_neutral_take_s_place_is_looked_at_before_any_work(emotional, voice, write_wav,
                                                               tmp_path):
    (tmp_path / "m_neutral.npz").mkdir()
    with pytest.raises(errors.RequestError, match=r"m_neutral\.npz' is a folder"):
        emotional.run(job(write_wav(voice), neutral=True), [tmp_path / "m.npz"])
    assert not (tmp_path / "m.npz").exists()


def test_an_emotion_that_the_pack_lacks_is_refused_before_any_work(emotional, voice, write_wav,
                                                                   tmp_path):
    wanted = job(write_wav(voice), emotions=(EmotionSpan("bored"),))
    with pytest.raises(errors.RequestError, match="Choose one of: neutral, surprised, angry"):
        emotional.run(wanted, [tmp_path / "m.npz"])
    assert not (tmp_path / "m.npz").exists()


@pytest.mark.parametrize(("amounts", "shape"), [((0, 1), (3, 2, 2)), ((0, 0.5), (3, 2, 1)),
                                                ((0.5, 1), (3, 2, 1)), ((0,), (3, 1, 1))])
def test_prototypes_that_do_not_fit_are_refused(tmp_path, amounts, shape):
    made = make_tiny_pack.make_emotional(tmp_path / "pack")
    np.savez(made.path / "emotions.npz", amounts=np.array(amounts, np.float32),
             prototypes=np.zeros(shape, np.float32))
    with pytest.raises(errors.PackError, match=r"'emotions\.npz' of the pack"):
        pipeline.Generator(pack.write(made.path, made.manifest), CPU)
