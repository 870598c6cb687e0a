import json
import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import backend
from backend import __main__, emotions, errors, motion
from backend.commands import bench
from backend.messages import EmotionSpan
from tests.data import make_tiny_pack

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def models(tiny_pack, monkeypatch):
    """Only the tiny pack is installed."""
    monkeypatch.setattr("backend.pack.model_folders", lambda: [tiny_pack.parent])


@pytest.fixture
def command(capsys):
    """Run a command: (exit code, stdout, stderr)."""

    def run(*arguments):
        try:
            code = __main__.main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_animate_writes_the_motion_and_says_where(command, voice, write_wav, tmp_path):
    out = tmp_path / "Übung 1" / "m.npz"
    code, said, log = command("animate", write_wav(voice), "--model", "tiny-test", "--out", out,
                              "--seed", 3)
    assert code == 0 and said == f"{out}\n"
    assert log.startswith("Done in ") and "on cpu" in log
    made = motion.load(out)
    assert made.displacements.shape == (45, 42, 3) and made.seed == 3


def test_listen_tells_the_emotions_heard_as_animate_takes_them(command, voice, write_wav, tmp_path):
    made = make_tiny_pack.make_emotional(tmp_path / "emotional").path
    code, said, _ = command("listen", write_wav(voice), "--model", made)
    assert (code, said) == (0, "neutral:1@0.00-1.50\n")
    code, _, log = command("listen", write_wav(voice), "--model", "tiny-test")
    assert (code, log.count("\n")) == (2, 1) and "'tiny-test' hears no emotions" in log


def test_quiet_is_quiet(command, voice, write_wav, tmp_path):
    assert command("animate", write_wav(voice), "--out", tmp_path / "m.npz", "--quiet") == (
        0, "", "")


def test_takes_are_numbered_files(command, voice, write_wav, tmp_path):
    code, said, _ = command("animate", write_wav(voice), "--out", tmp_path / "m.npz", "--takes", 2,
                            "--style", "lively", "--steps", 2)
    assert code == 0
    assert [Path(line).name for line in said.splitlines()] == ["m_take1.npz", "m_take2.npz"]
    assert [motion.load(line).seed for line in said.splitlines()] == [0, 1]


def test_a_range_of_a_motion_is_redone(command, voice, write_wav, tmp_path):
    wav, old, new = write_wav(voice), tmp_path / "a@1-2.npz", tmp_path / "new.npz"
    command("animate", wav, "--out", old)
    assert command("animate", wav, "--out", new, "--seed", 5, "--redo", f"{old}@0.5-1.25")[0] == 0
    before, after = motion.load(old), motion.load(new)
    assert (before.displacements != after.displacements).any(axis=(1, 2))[9:44].any()
    np.testing.assert_array_equal(before.displacements[:9], after.displacements[:9])


@pytest.mark.parametrize(("arguments", "what"), [
    (["--model", "gldi-moon"], "There is no model 'gldi-moon'. Choose one of: tiny-test"),
    (["--style", "odd"], "no style 'odd'. Choose one of: calm, lively."),
    (["--style", "calm:1,odd:1"], "no style 'odd'. Choose one of: calm, lively."),
    (["--style", "calm:1,calm:2"], "'calm' is named twice. Write it as NAME, or as a blend"),
    (["--steps", "0"], "0 sampling steps"),
    (["--takes", "0"], "0 takes"),
    (["--seed", "-1"], "The seed is -1."),
    (["--seed", "x"], "invalid int value: 'x'"),
    (["--device", "tpu"], "invalid choice: 'tpu'"),
    (["--device", "directml"], "'directml' cannot be used"),
    (["--emotion", "happy:0.5@1-2"], "has no emotions to choose from, so 'happy'"),
    (["--emotion", "happy:loud"], "The emotion 'happy:loud' is not understood"),
    (["--out", "/proc/nowhere/m.npz"], "cannot be written"),
    (["--redo", "m.npz"], "The range 'm.npz' is not understood. Write it as MOTION.npz@1.2-3.4"),
    (["--redo", "m.npz@1.2.3-4"], "is not understood"),
    (["--redo", "none.npz@1-2"], "There is no motion file 'none.npz'."),
    (["--sed", "1"], "unrecognized arguments"),
])
def test_a_bad_argument_ends_with_2_and_one_line(command, voice, write_wav, tmp_path, arguments,
                                                 what):
    code, said, log = command("animate", write_wav(voice), "--quiet", "--out", tmp_path / "m.npz",
                              *arguments)
    assert (code, said) == (2, "") and what in log and log.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["voice.wav"]


def test_a_silent_sound_ends_with_2_and_one_line(command, write_wav, tmp_path):
    code, _, log = command("animate", write_wav(np.zeros(8000)), "--out", tmp_path / "m.npz")
    assert code == 2 and "is silent: all samples are 0" in log and log.count("\n") == 1


def test_a_missing_package_is_named(command, monkeypatch, tmp_path):
    def missing(*arguments):
        raise ModuleNotFoundError("No module named 'onnxruntime'", name="onnxruntime")

    monkeypatch.setattr(__main__.importlib, "import_module", missing)
    code, _, log = command("check")
    assert code == 2 and log.startswith("The Python package 'onnxruntime' is missing.")


def test_no_command_and_an_unknown_one_end_with_2(command):
    assert command()[0] == command("sing")[0] == 2
    assert command("--help")[0] == 0


@pytest.mark.parametrize(("text", "span"), [
    ("happy", EmotionSpan("happy", 1.0)), ("happy:0.5", EmotionSpan("happy", 0.5)),
    ("très triste@1.5-3", EmotionSpan("très triste", 1.0, 1.5, 3.0)),
    ("sad:1@0-2", EmotionSpan("sad", 1.0, 0.0, 2.0))])
def test_an_emotion_is_read_from_its_short_form(text, span):
    assert emotions.parse(text) == span


@pytest.mark.parametrize("text", ["", ":1", "sad:", "sad:2", "sad:1.2.3", "sad@1", "sad@3-1"])
def test_a_malformed_emotion_is_refused(text):
    with pytest.raises(errors.RequestError, match="is not understood"):
        emotions.parse(text)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo terminal")
@pytest.mark.parametrize("signal_sent", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_kill_end_with_130_and_leave_nothing_half_written(
        write_wav, voice, tmp_path, tiny_pack, signal_sent):
    wav, out = write_wav(np.tile(voice, 400)), tmp_path / "out"
    terminal, theirs = os.openpty()
    with subprocess.Popen(
            [sys.executable, "-m", "backend", "animate", wav, "--model", tiny_pack, "--steps",
             "1000", "--out", out / "m.npz"], cwd=ROOT, stderr=theirs,
            # A shell's background job, and all it starts, ignores Ctrl+C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)) as process:
        os.close(theirs)
        while b"imagine" not in (log := os.read(terminal, 4096)):
            pass
        process.send_signal(signal_sent)
        while b"Cancelled." not in log[-60:]:
            log += os.read(terminal, 4096)
    os.close(terminal)
    assert process.returncode == 130 and b"Traceback" not in log
    assert not out.exists() or list(out.iterdir()) == []


def test_batch_animates_every_row_and_takes_names_styles_and_seeds_from_it(
        command, voice, write_wav, tmp_path):
    write_wav(voice, name="eins.wav")
    (tmp_path / "list.csv").write_text(
        "audio,out,style,seed\neins.wav,,,\neins.wav,zwei/b.npz,lively,8\n", encoding="utf-8-sig")
    code, said, log = command("batch", tmp_path / "list.csv", "--out", tmp_path / "o", "--seed", 4)
    assert (code, log) == (0, "")
    assert said.splitlines() == [str(tmp_path / "o/eins.npz"), str(tmp_path / "o/zwei/b.npz")]
    assert [motion.load(line).seed for line in said.splitlines()] == [4, 8]


@pytest.mark.skipif(sys.platform == "win32", reason="has no named pipes in folders")
def test_a_pipe_is_no_place_for_a_motion_and_stays(command, voice, write_wav, tmp_path):
    os.mkfifo(tmp_path / "m.npz")
    code, said, log = command("animate", write_wav(voice), "--out", tmp_path / "m.npz")
    assert (code, said) == (2, "") and log.count("\n") == 1
    assert f"'{tmp_path / 'm.npz'}' is a device or a pipe. Choose another file name." in log
    assert (tmp_path / "m.npz").is_fifo()


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege")
def test_a_motion_is_written_through_a_link(command, voice, write_wav, tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "real.npz").write_bytes(b"old")
    link = tmp_path / "m.npz"
    link.symlink_to(Path("far") / "real.npz")
    assert command("animate", write_wav(voice), "--out", link)[:2] == (0, f"{link}\n")
    assert link.is_symlink() and motion.load(tmp_path / "far" / "real.npz").seed == 0
    assert [path.name for path in (tmp_path / "far").iterdir()] == ["real.npz"]


def test_batch_goes_on_after_a_name_that_is_too_long(command, voice, write_wav, tmp_path):
    write_wav(voice, name="good.wav")
    (tmp_path / "o").mkdir()
    rows = [f"good.wav,{'a' * 300}.npz", f"{'b' * 300}.wav,b.npz", "good.wav,c.npz"]
    (tmp_path / "list.csv").write_text("\n".join(["audio,out", *rows]))
    code, said, log = command("batch", tmp_path / "list.csv", "--out", tmp_path / "o")
    assert (code, said) == (2, f"{tmp_path / 'o/c.npz'}\n")
    first, second, last = log.splitlines()
    assert "aaa.npz' cannot be written: " in first and "bbb.wav' cannot be opened: " in second
    assert last == "2 of 3 sounds failed."


def test_batch_goes_on_after_failures_and_lists_them(command, voice, write_wav, tmp_path):
    write_wav(voice, name="good.wav")
    (tmp_path / "list.csv").write_text("audio\nnone.wav\ngood.wav\nlist.csv\n")
    code, said, log = command("batch", tmp_path / "list.csv", "--out", tmp_path / "o")
    assert code == 2 and said == f"{tmp_path / 'o/good.npz'}\n"
    lines = log.splitlines()
    assert "none.wav' cannot be opened" in lines[0] and "list.csv' is no sound" in lines[1]
    assert lines[2] == "2 of 3 sounds failed."


@pytest.mark.parametrize(("content", "what"), [
    ("", "has no rows"), ("audio\n", "has no rows"), ("sound\na.wav\n", "unknown column 'sound'"),
    ("audio,seed\na.wav,x\n", "line 2 has the seed 'x'"), ("audio,seed\n,1\n", "names no audio"),
    ("audio\na.wav\nb/a.flac\n", "lines 2 and 3 would both write"),
    ("audio\na.wav,extra\n", "unknown column"),
    ("audio,out\n\na.wav,a.npz\n\nb.wav,sub/../a.npz\n", "lines 3 and 5 would both write"),
    ('audio,seed\n"a\nb.wav",1\n\nc.wav,x\n', "line 5 has the seed 'x'")])
def test_a_list_that_makes_no_sense_is_refused_before_any_work(command, tmp_path, content, what):
    (tmp_path / "list.csv").write_text(content)
    code, _, log = command("batch", tmp_path / "list.csv", "--out", tmp_path / "o")
    assert code == 2 and what in log and log.count("\n") == 1


def test_models_lists_what_each_animates(command, tiny_pack):
    code, said, _ = command("models")
    assert code == 0
    assert said == ("tiny-test: gldi, tiny (42 vertices), 30 fps, styles calm, lively\n"
                    f"  {tiny_pack}\n")


def test_check_verifies_and_tries_each_model(command):
    code, said, _ = command("check", "--device", "cpu")
    assert code == 0 and "device: cpu, as asked" in said and "onnxruntime: " in said
    assert "model tiny-test: good, 0.0 MB, 30 frames of 42 vertices made" in said


def test_check_fails_on_a_damaged_model_and_where_there_is_none(command, monkeypatch, tmp_path):
    monkeypatch.setattr("backend.pack.model_folders", lambda: [tmp_path])
    code, _, log = command("check")
    assert code == 2 and log.startswith("No model is installed in")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "manifest.json").write_text("{}")
    code, _, log = command("check")
    assert code == 2 and "field 'schema_version' is missing" in log


def test_bench_measures_what_the_budgets_ask_for(command, voice, write_wav, tiny_pack):
    code, said, _ = command("bench", "--model", tiny_pack, "--audio", write_wav(voice), "--json",
                            "--runs", 1)
    figures = json.loads(said)
    assert code == 0 and figures["device"] == "cpu" and figures["audio_seconds"] == 1.5
    assert figures["cold_seconds"] > figures["warm_seconds"] > 0
    assert figures["warm_seconds_per_10_s"] == pytest.approx(figures["warm_seconds"] / 0.15,
                                                             abs=1e-3)
    assert 20 < figures["peak_rss_mb"] == pytest.approx(bench.peak_rss_mb(), rel=0.5)


def test_the_package_says_the_version_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert backend.__version__ == project["version"]
