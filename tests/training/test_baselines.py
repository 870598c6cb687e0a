"""Baselines and ablations of stage 2 on the toy: trained, measured, and set side by side."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.errors import RequestError
from tests.training import toy
from training import __main__ as training
from training import config, encoder, latents, rig_file, spaces, speaking, stage1, stage2

OVERLAYS = ("baseline-regression", "baseline-diffusion", "no-diffusion", "no-noise-encoder")
# Two steps of each stage, on a network small enough to be nothing beside starting up.
SHORT = """
[stage1.optimiser]
steps = 2
[stage2.optimiser]
steps = 2
"""


@pytest.fixture(scope="module")
def lender(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with the toy's data, an untrained encoder and a stage 1 of two steps."""
    folder = tmp_path_factory.mktemp("baselines") / "lender"
    toy.write_corpus(folder / "corpus", clips=4)
    toy.write_rig(folder / "rig.npz")
    torch.manual_seed(0)
    encoder.save(folder / "encoder.pt", encoder.CompactEncoder(config.load("tiny").encoder).eval())
    (folder.parent / "short.toml").write_text(SHORT, encoding="utf-8")
    assert run(folder, "", "train-stage1") == 0
    return folder


@pytest.fixture(scope="module")
def works(lender: Path) -> dict[str, Path]:
    """Each overlay's working folder, borrowed, trained for two steps and evaluated."""
    found = {name: lender.parent / name for name in OVERLAYS}
    for name, work in found.items():
        assert run(work, name, "borrow", "--from", str(lender)) == 0
        assert run(work, name, "train-stage2") == 0
        options = ["--steps", "2", "--seeds", "2", "--clips", "1"]
        assert run(work, name, "evaluate", *options) == 0
    return found


def run(work: Path, overlay: str, command: str, *more: str) -> int:
    short = work.parent / "short.toml"
    recipe = f"tiny+{short}" + (f"+{overlay}" if overlay else "")
    return training.main([command, "--recipe", recipe, "--work", str(work), *more])


def rows(work: Path) -> dict[str, dict[str, dict[str, float]]]:
    found: dict[str, dict[str, dict[str, float]]]
    found = json.loads((work / "evaluation.json").read_text(encoding="utf-8"))
    return found


def test_only_latents_have_a_quantised_truth(works: dict[str, Path]) -> None:
    assert list(rows(works["no-noise-encoder"])) == ["quantised truth", "from speech, 2 steps"]
    assert list(rows(works["no-diffusion"])) == ["quantised truth", "from speech, at once"]
    assert list(rows(works["baseline-diffusion"])) == ["from speech, 2 steps"]
    assert list(rows(works["baseline-regression"])) == ["from speech, at once"]


@pytest.mark.parametrize("name", ["baseline-regression", "no-diffusion"])
def test_a_regression_has_no_diversity(works: dict[str, Path], name: str) -> None:
    assert rows(works[name])["from speech, at once"]["diversity"]["value"] == 0.0


def test_a_baseline_predicts_vertices_in_metres(works: dict[str, Path]) -> None:
    work = works["baseline-diffusion"]
    recipe = config.load("tiny+baseline-diffusion")
    networks = speaking.networks(work, recipe, rig_file.read(work / "rig.npz"))
    assert networks.second.model.output.out_features == 42 * 3
    assert isinstance(networks.space, spaces.Vertices)
    assert networks.speak(np.zeros(16000, np.float32), "Even", 0, 1).shape == (30, 42, 3)


def test_no_steps_are_refused_and_not_the_default(works: dict[str, Path]) -> None:
    work = works["baseline-diffusion"]
    recipe = config.load("tiny+baseline-diffusion")
    networks = speaking.networks(work, recipe, rig_file.read(work / "rig.npz"))
    with pytest.raises(RequestError, match="0 sampling steps were asked for"):
        networks.speak(np.zeros(16000, np.float32), "Even", 0, 0)


def test_vertices_survive_the_way_into_their_space_and_back(lender: Path) -> None:
    rig = rig_file.read(lender / "rig.npz")
    weights = np.random.default_rng(0).random((20, 3), np.float32)
    fitted = stage1.fit_normaliser(rig, [weights])
    vectors = stage1.MotionCrops(rig, [], fitted).vectors(torch.from_numpy(weights))
    decoded = spaces.Vertices(fitted).decode(vectors)
    np.testing.assert_allclose(decoded.motion, rig.displacements(weights), atol=1e-7)


def test_a_baseline_becomes_no_pack(works: dict[str, Path]) -> None:
    work = works["baseline-diffusion"]
    more = ["--reference", "none.npz", "--out", str(work / "pack")]
    np.savez(work / "none.npz", rest=rig_file.read(work / "rig.npz").template)
    more[1] = str(work / "none.npz")
    assert run(work, "baseline-diffusion", "export", *more) == 2


def test_a_space_that_is_none_is_named(lender: Path) -> None:
    tiny = config.load("tiny")
    odd = dataclasses.replace(tiny, stage2=dataclasses.replace(tiny.stage2, space="bones"))
    with pytest.raises(config.RecipeError, match=r"stage2\.space is 'bones'"):
        latents.prepare(lender, odd, rig_file.read(lender / "rig.npz"))


def test_stage_1_is_borrowed_only_where_it_would_be_the_same(works: dict[str, Path]) -> None:
    assert (works["no-diffusion"] / "stage1.pt").is_symlink()
    assert not (works["baseline-diffusion"] / "stage1.pt").exists()


def test_one_table_holds_every_system(works: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "table.md"
    assert training.main(["compare", *map(str, works.values()), "--out", str(out)]) == 0
    lines = out.read_text(encoding="utf-8").splitlines()
    titles = [line.split("|")[1].strip() for line in lines if line.startswith("|")]
    assert titles[2:4] == ["ground truth", "baseline-regression: from speech, at once"]
    assert len(titles) == 2 + 1 + 6
    assert "mask_lips" in lines[-1]


def test_figures_of_other_clips_are_not_set_side_by_side(
    works: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = rows(works["no-diffusion"])
    changed["quantised truth"]["LVE"]["weight"] += 1
    (tmp_path / "other.json").write_text(json.dumps(changed), encoding="utf-8")
    arguments = ["compare", str(works["no-diffusion"]), str(tmp_path / "other.json")]
    assert training.main(arguments) == 2
    assert "LVE of other: quantised truth" in capsys.readouterr().err


def test_the_samplers_are_measured_with_each_number_of_steps(works: dict[str, Path]) -> None:
    work = works["no-noise-encoder"]
    out = str(work / "samplers.json")
    each = ["--samplers", "ddpm", "dpmpp_2m", "--steps", "2", "3"]
    options = [*each, "--seeds", "2", "--clips", "1", "--out", out]
    assert run(work, "no-noise-encoder", "evaluate", *options) == 0
    found = json.loads(Path(out).read_text(encoding="utf-8"))
    assert list(found)[1:] == [
        f"from speech, {name}, {steps} steps" for name in ("ddpm", "dpmpp_2m") for steps in (2, 3)
    ]


def test_a_split_without_clips_is_named(
    works: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(works["no-diffusion"], "no-diffusion", "evaluate", "--split", "test-voices") == 2
    assert "no clips of the split test-voices" in capsys.readouterr().err


def test_all_of_stage_2_s_overlays_change_its_identity() -> None:
    plain = stage2.network(config.load("tiny").stage2)
    assert all(stage2.network(config.load(f"tiny+{name}").stage2) != plain for name in OVERLAYS)
