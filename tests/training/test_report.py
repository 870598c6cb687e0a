"""The report: what the renderer draws, what a strip shows, and the page itself."""

from pathlib import Path

import numpy as np
import pytest

from tests.training import toy
from tests.training.slit_face import slit_face
from training import metrics
from training.corpus.phones import Phone
from training.report import page, pictures, published, raster

EYE = np.eye(3)
SQUARE = raster.Camera(EYE, np.zeros(3), 1.0, 8, 8)
# Pixels count down and y up, so this triangle covers the lower left half of a square of 4.
CORNERS = np.array([[-2.0, -2.0, 0.0], [2.0, -2.0, 0.0], [-2.0, 2.0, 0.0]])


def lit(colour: tuple[float, float, float]) -> np.ndarray:
    return np.tile(np.array(colour), (3, 1))


def covered(image: raster.Image) -> np.ndarray:
    return (image < 250).any(axis=2)


def test_a_triangle_covers_its_own_pixels_and_no_others() -> None:
    image = raster.render(SQUARE, CORNERS, np.array([[0, 1, 2]]), lit((0.5, 0.5, 0.5)))
    seen = covered(image)
    assert seen[2:6, 2:6].sum() == 10  # the diagonal's four pixels are half covered
    assert seen.sum() == 10
    assert seen[5, 2] and not seen[2, 5]


def test_the_nearer_of_two_triangles_is_seen() -> None:
    both = np.concatenate([CORNERS, CORNERS + np.array([0, 0, 1.0])])
    colours = np.concatenate([lit((1, 0, 0)), lit((0, 0, 1))])
    for triangles in ([[0, 1, 2], [3, 4, 5]], [[3, 4, 5], [0, 1, 2]]):
        pixel = raster.render(SQUARE, both, np.array(triangles), colours)[4, 3]
        assert pixel[2] > 100 and pixel[0] == 0


def test_the_back_of_a_face_is_the_inside_of_the_mouth() -> None:
    image = raster.render(SQUARE, CORNERS, np.array([[0, 2, 1]]), lit((1, 1, 1)))
    assert image[4, 3].tolist() == np.rint(255 * raster.INSIDE).astype(int).tolist()


def test_a_portrait_holds_every_point() -> None:
    points = np.random.default_rng(0).normal(size=(50, 3))
    camera = raster.portrait(points, 25, 60, 80)
    at = camera.project(points)[:, :2]
    assert (at >= 0).all() and (at <= [60, 80]).all()
    assert np.ptp(at, axis=0).max() > 55


def test_a_strip_shows_the_longest_phone_of_each_kind_in_order() -> None:
    phones = [Phone("AA", 0.0, 0.1), Phone("P", 0.1, 0.2), Phone("B", 0.2, 0.4), Phone("K", 0.4, 9)]
    assert [phone.name for phone in pictures.telling(phones)] == ["AA", "B"]


def test_pictures_are_written(tmp_path: Path) -> None:
    face = slit_face()
    model = pictures.Model(face.vertices, face.triangles, np.ones(len(face.vertices), bool))
    still = np.zeros((30, len(face.vertices), 3), np.float32)
    phones = [Phone("SIL", 0.0, 0.2), Phone("P", 0.2, 0.4), Phone("AA", 0.4, 0.9)]
    heat = {"mean": {"truth": np.ones(len(still[0])), "pack": np.zeros(len(still[0]))}}
    pictures.save_strips(tmp_path / "s.png", model, phones, {"truth": still, "pack": still}, 30)
    pictures.save_heat(tmp_path / "h.png", model, heat)
    tone = np.sin(np.arange(16000) / 10).astype(np.float32)
    pictures.save_curves(tmp_path / "c.png", tone, phones, {"truth": still[:, 0, 0]}, 30)
    for name in ("s", "h", "c"):
        assert (tmp_path / f"{name}.png").read_bytes()[:4] == b"\x89PNG"


def test_the_page_holds_its_pictures_and_escapes_what_is_spoken(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    picture = page.Picture(tmp_path / "a.png", "Tom & <Jerry>")
    page.write(tmp_path / "p.html", "T", "n", [page.Section("S", "s", pictures=[picture])])
    text = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert "data:image/png;base64,iVBORw==" in text
    assert "Tom &amp; &lt;Jerry&gt;" in text and "a.png" not in text


def test_every_published_table_names_its_data_beside_ours() -> None:
    text = page.published_tables("mine", [metrics.Figure("LVE", 1.83e-5, "m^2", "mask_lips")])
    for each in published.TABLES:
        assert each.data.split(":")[0] in text
    assert published.OUR_DATA.split(":")[0] in text
    assert "1.83e-05 m^2, mask_lips" in text
    assert [table.rows[-1].lve for table in published.TABLES] == ["4.6440", "2.6947", "4.4744"]


def test_toy_rigs_can_be_drawn(tmp_path: Path) -> None:
    toy.write_rig(tmp_path / "rig.npz")
    with np.load(tmp_path / "rig.npz") as rig:
        rest, faces = rig["template"].astype(float), rig["faces"]
    image = raster.render(raster.portrait(rest, 0, 40, 40), rest, faces, np.ones_like(rest))
    assert covered(image).mean() == pytest.approx(0.66, abs=0.05)  # a disc in a square, with rim
