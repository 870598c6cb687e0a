"""The report's pictures: mesh strips, heat maps on the face, and apertures over the sound."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from numpy.typing import NDArray

from ..corpus.phones import BILABIALS, LABIODENTALS, VISEMES, Phone
from ..corpus.speech import SAMPLE_RATE_HZ
from ..lipsync import OPEN_VOWELS, PAUSES
from . import raster
from .raster import Camera, Floats, Image, Ints

Array = NDArray[np.float32]

FACE_PIXELS = (210, 270)
HEAT = "inferno"
# What a strip shows, if it is spoken: a clip's longest phone of each of these.
SHOWN_VISEMES = ("bilabial", "open", "rounded", "labiodental", "spread", "half_rounded",
                 "postalveolar", "dental")  # fmt: skip
KINDS = ((BILABIALS, "#c0392b"), (LABIODENTALS, "#d68910"), (OPEN_VOWELS, "#2471a3"))
LINES = ("#222222", "#2e86c1", "#28b463", "#af7ac5")


class Model(NamedTuple):
    """A face to draw: rest (V, 3) metres, triangles (F, 3), and the part that a portrait holds."""

    rest: Floats
    triangles: Ints
    shown: NDArray[np.bool_]

    def camera(self, yaw_degrees: float) -> Camera:
        """A portrait of the shown part."""
        return raster.portrait(self.rest[self.shown], yaw_degrees, *FACE_PIXELS)


class Moment(NamedTuple):
    """A column of a strip: its heading and its colour, and the second that it shows."""

    title: str
    at_s: float
    colour: str = "#444444"


def save_strips(
    path: Path, model: Model, phones: Sequence[Phone], motions: Mapping[str, Array], fps: float
) -> None:
    """Draw each motion (T, V, 3) at the clip's telling phones, one row a motion."""
    moments = [
        Moment(f"{phone.name.lower()}  {phone.middle_s:.2f} s", phone.middle_s, _colour(phone))
        for phone in telling(phones)
    ]
    save_moments(path, model, moments, motions, fps)


def save_moments(
    path: Path, model: Model, moments: Sequence[Moment], motions: Mapping[str, Array], fps: float
) -> None:
    """Draw each motion (T, V, 3) at some moments, one row a motion, one column a moment."""
    drawing = Drawing(figsize=(1.35 * len(moments) + 0.4, 1.75 * len(motions) + 0.2))
    axes = drawing.subplots(len(motions), len(moments), squeeze=False,
                            gridspec_kw={"wspace": 0.02, "hspace": 0.02})  # fmt: skip
    skin, camera = np.tile(raster.SKIN, (len(model.rest), 1)), model.camera(-18)
    for row, (title, motion) in zip(axes, motions.items(), strict=True):
        for place, moment in zip(row, moments, strict=True):
            frame = min(round(moment.at_s * fps), len(motion) - 1)
            image = raster.render(camera, model.rest + motion[frame], model.triangles, skin)
            _show(place, image)
        row[0].set_ylabel(title, fontsize=8)
    for place, moment in zip(axes[0], moments, strict=True):
        place.set_title(moment.title, fontsize=8, color=moment.colour)
    _save(drawing, path)


def telling(phones: Sequence[Phone]) -> list[Phone]:
    """The longest phone of each viseme that a strip shows, in the order they are spoken."""
    longest = []
    for viseme in SHOWN_VISEMES:
        spoken = [phone for phone in phones if phone.name in VISEMES[viseme]]
        if spoken:
            longest.append(max(spoken, key=lambda phone: phone.end_s - phone.start_s))
    return sorted(longest or list(phones[:1]), key=lambda phone: phone.start_s)


def save_heat(path: Path, model: Model, rows: Mapping[str, Mapping[str, Floats]]) -> None:
    """Draw values (V,) in mm on the face; a row's panels share one scale, from 0 up."""
    widest = max(len(panels) for panels in rows.values())
    drawing = Drawing(figsize=(1.7 * widest + 1.1, 2.15 * len(rows) + 0.3))
    axes, camera = drawing.subplots(len(rows), widest, squeeze=False), model.camera(0)
    colours = matplotlib.colormaps[HEAT]
    for row, (title, panels) in zip(axes, rows.items(), strict=True):
        top = max(float(np.percentile(values[model.shown], 99.5)) for values in panels.values())
        top = max(top, 1e-6)
        for place in row:
            place.axis("off")
        for place, (name, values) in zip(row, panels.items(), strict=False):
            paint = np.asarray(colours(np.clip(values / top, 0, 1)))[:, :3]
            _show(place, raster.render(camera, model.rest, model.triangles, paint))
            place.set_title(name, fontsize=8)
            place.axis("on")
        row[0].set_ylabel(title, fontsize=8)
        scale = matplotlib.cm.ScalarMappable(matplotlib.colors.Normalize(0, top), HEAT)
        bar = drawing.colorbar(scale, ax=list(row), shrink=0.8, pad=0.02)
        bar.set_label("mm", fontsize=8)
        bar.ax.tick_params(labelsize=7)
    _save(drawing, path)


def save_clouds(
    path: Path, clouds: Mapping[str, Floats], kinds: Ints, names: Sequence[str]
) -> None:
    """Draw points (N, 2) of several kinds (N,), one panel a cloud; axes have no meaning."""
    drawing = Drawing(figsize=(3.6 * len(clouds) + 1.2, 3.8))
    places = drawing.subplots(1, len(clouds), squeeze=False)[0]
    colours = matplotlib.colormaps["tab10"]
    for place, (title, points) in zip(places, clouds.items(), strict=True):
        for kind in np.unique(kinds):
            own = points[kinds == kind]
            place.scatter(own[:, 0], own[:, 1], s=4, lw=0, color=colours(int(kind)),
                          label=names[int(kind)])  # fmt: skip
        place.set_title(title, fontsize=9)
        place.set(xticks=[], yticks=[])
    places[-1].legend(fontsize=7, markerscale=3, loc="center left", bbox_to_anchor=(1.01, 0.5),
                      frameon=False)  # fmt: skip
    _save(drawing, path)


def save_curves(
    path: Path,
    samples: Array,
    phones: Sequence[Phone],
    apertures: Mapping[str, Array],
    fps: float,
) -> None:
    """Draw lip apertures (T,) in mm under the waveform (N,) at 16 kHz, with the phones' marks."""
    seconds = len(samples) / SAMPLE_RATE_HZ
    drawing = Drawing(figsize=(max(6.0, min(20.0, 1.8 * seconds)), 3.2))
    sound, lips = drawing.subplots(2, 1, sharex=True, height_ratios=[1, 2.2])
    _wave(sound, samples)
    for place in (sound, lips):
        _mark(place, phones)
    for line, (name, aperture) in zip(LINES, apertures.items(), strict=False):
        lips.plot(np.arange(len(aperture)) / fps, aperture, color=line, lw=1.2, label=name)
    lips.axhline(0, color="#999999", lw=0.6)
    lips.set(xlabel="seconds", ylabel="lip aperture, mm", xlim=(0, seconds))
    lips.legend(fontsize=7, loc="upper right", framealpha=0.9)
    _name(sound, phones)
    _save(drawing, path)


def _wave(place: Axes, samples: Array) -> None:
    """The envelope: lowest and highest sample in each of some thousand stretches."""
    parts = np.array_split(samples, min(len(samples), 1500))
    times = np.linspace(0, len(samples) / SAMPLE_RATE_HZ, len(parts))
    place.fill_between(times, [p.min() for p in parts], [p.max() for p in parts],
                       color="#7f8c8d", lw=0)  # fmt: skip
    place.set_yticks([])


def _mark(place: Axes, phones: Sequence[Phone]) -> None:
    for phone in phones:
        if any(phone.name in kind for kind, _ in KINDS):
            place.axvspan(phone.start_s, phone.end_s, color=_colour(phone), alpha=0.18, lw=0)
    place.tick_params(labelsize=7)


def _name(place: Axes, phones: Sequence[Phone]) -> None:
    for phone in phones:
        if phone.name not in PAUSES:
            place.text(phone.middle_s, 1.03, phone.name.lower(), fontsize=5.5, ha="center",
                       color=_colour(phone), transform=place.get_xaxis_transform())  # fmt: skip


def _colour(phone: Phone) -> str:
    return next((colour for kind, colour in KINDS if phone.name in kind), "#444444")


def _show(place: Axes, image: Image) -> None:
    place.imshow(image, interpolation="none")
    place.set_xticks([])
    place.set_yticks([])
    for spine in place.spines.values():
        spine.set_visible(False)


def _save(drawing: Drawing, path: Path) -> None:
    drawing.savefig(path, dpi=150, bbox_inches="tight", metadata={"Software": None})
