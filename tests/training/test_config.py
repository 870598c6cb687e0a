"""Recipes: overlays, unknown keys, wrong types."""

from pathlib import Path

import pytest

from training import config, latents


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_an_overlay_changes_only_what_it_names(tmp_path: Path) -> None:
    write(tmp_path / "a.toml", 'name = "a"\n[stage1]\ncodes = 64\nchannels = 16\n')
    over = write(tmp_path / "b.toml", 'base = "a.toml"\nname = "b"\n[stage1]\ncodes = 32\n')
    recipe = config.load(over)
    assert (recipe.name, recipe.stage1.codes, recipe.stage1.channels) == ("b", 32, 16)


def test_an_unknown_key_names_the_nearest_one(tmp_path: Path) -> None:
    path = write(tmp_path / "a.toml", 'name = "a"\n[stage1.optimiser]\nlerning_rate = 1.0\n')
    with pytest.raises(config.RecipeError) as caught:
        config.load(path)
    assert "stage1.optimiser.lerning_rate" in caught.value.message
    assert "learning_rate" in caught.value.hint


def test_a_value_of_the_wrong_type_names_the_key(tmp_path: Path) -> None:
    path = write(tmp_path / "a.toml", 'name = "a"\n[stage1]\ncodes = "many"\n')
    with pytest.raises(config.RecipeError, match=r"stage1\.codes is 'many'"):
        config.load(path)


def test_a_recipe_survives_the_round_trip_through_a_dictionary() -> None:
    recipe = config.load("gldi-flame")
    assert config.from_dict(config.to_dict(recipe)) == recipe


def test_a_missing_recipe_lists_the_shipped_ones() -> None:
    with pytest.raises(config.RecipeError) as caught:
        config.load("no-such")
    assert "gldi-flame" in caught.value.hint


def test_the_recipes_first_style_is_the_packs_default() -> None:
    order = latents.style_order({"Own", "Soft", "Even", "Broad"}, ("Even", "Crisp", "Broad"))
    assert order == ("Even", "Broad", "Own", "Soft")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[stage1.optimiser]\nsteps = 0", "stage1.optimiser.steps is 0"),
        ("[stage2.optimiser]\nbatch = 0", "stage2.optimiser.batch is 0"),
        ("[stage2.optimiser]\nlearning_rate = nan", "stage2.optimiser.learning_rate is nan"),
        ("[stage1]\ncodes = 0", "stage1.codes is 0"),
        ("[stage1]\nheads = 0", "stage1.heads is 0"),
        ("[export]\nsampler_steps = -1", "export.sampler_steps is -1"),
        ("fps = 0", "fps is 0"),
        ("[stage2]\nhidden = 30", "stage2.hidden is 30, stage2.heads is 4"),
    ],
)
def test_a_number_that_means_nothing_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(config.RecipeError) as caught:
        config.load(write(tmp_path / "a.toml", f'name = "a"\n{text}\n'))
    assert caught.value.message == message


@pytest.mark.parametrize("base", ["gldi-flame.toml", "gldi-flame"])
def test_the_documents_recipe_of_one_s_own_builds_on_a_shipped_one(
    tmp_path: Path, base: str
) -> None:
    document = (Path(__file__).parents[2] / "docs" / "encoders.md").read_text(encoding="utf-8")
    sample = document.partition("```toml\n")[2].partition("```")[0]
    text = sample.replace('base = "gldi-flame.toml"', f'base = "{base}"')
    recipe = config.load(write(tmp_path / "mine.toml", text))
    assert (recipe.name, recipe.speech.encoder) == ("gldi-flame-hubert", "hubert-base")
    assert recipe.stage1 == config.load("gldi-flame").stage1


def test_the_file_beside_a_recipe_is_its_base_before_the_shipped_one(tmp_path: Path) -> None:
    write(tmp_path / "gldi-flame.toml", 'name = "other"\nfps = 7\n')
    over = write(tmp_path / "mine.toml", 'base = "gldi-flame.toml"\nname = "mine"\n')
    assert config.load(over).fps == 7


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("base = 5", "base is 5 in a.toml"),
        ('base = "a.toml"', "a.toml is its own base"),
        ('base = "b.toml"', "a.toml is its own base"),
        ('base = "moon.toml"', "no recipe moon"),
    ],
)
def test_a_base_that_is_none_is_named(tmp_path: Path, line: str, message: str) -> None:
    write(tmp_path / "b.toml", 'base = "a.toml"\n')
    with pytest.raises(config.RecipeError) as caught:
        config.load(write(tmp_path / "a.toml", f'name = "a"\n{line}\n'))
    assert caught.value.message == message
