"""Where the cage has openings and how many rings are set into each."""

from typing import NamedTuple

from .cage import Cage, Key, add_box, at_panel, rectangle


class Opening(NamedTuple):
    """A rectangle of cells cut from a panel, and the tags of the rings that fill it.

    `cap` names the tag of a closing grid; None leaves the opening open. `side` is +1 or -1 for
    paired openings, 0 for single ones.
    """

    name: str
    side: int
    panel: str
    rect: tuple[int, int, int, int]
    rings: tuple[str, ...]
    cap: str | None

    @property
    def key(self) -> Key:
        """The first part of the keys of its ring vertices."""
        return (self.name, self.side)

    @property
    def flip(self) -> bool:
        """Whether its loop runs clockwise seen from outside."""
        return self.side < 0 or self.panel == "bottom"

    def rim(self) -> list[Key]:
        """The loop of box vertices round it; that of a left opening mirrors the right one's."""
        keys = [at_panel(self.panel, u, v) for u, v in rectangle(*self.rect)]
        if self.side < 0:
            keys = [("box", -int(i), j, k) for _, i, j, k in keys]
        return keys

    def ring(self, number: int) -> list[Key]:
        """The keys of ring `number`; ring 0 is the rim."""
        if number == 0:
            return self.rim()
        return [(*self.key, number, n) for n in range(len(self.rim()))]


MOUTH = Opening(
    "mouth", 0, "front", (-5, 5, 3, 5),
    ("skin", "skin", "lips", "lips", "lips", "lips", "cavity", "cavity", "cavity", "cavity"),
    "cavity",
)
NECK = Opening("neck", 0, "bottom", (-4, 4, 3, 6), ("skin",) * 4, None)
PAIRED = [
    ("eye", "front", (2, 7, 9, 11), ("skin", "skin", "skin", "skin", "lid", "lid"), None),
    ("ear", "right", (3, 5, 7, 10), ("skin",) * 7, "skin"),
    ("nostril", "front", (1, 2, 6, 7), ("skin", "nostril"), "nostril"),
]
OPENINGS = [MOUTH, NECK] + [
    Opening(name, side, panel, rect, rings, cap)
    for name, panel, rect, rings, cap in PAIRED
    for side in (1, -1)
]


def _cells(opening: Opening) -> set[tuple[str, int, int]]:
    u0, u1, v0, v1 = opening.rect
    panel = opening.panel
    if opening.side < 0:
        if panel == "front":
            u0, u1 = -u1, -u0
        panel = {"right": "left"}.get(panel, panel)
    return {(panel, u, v) for u in range(u0, u1) for v in range(v0, v1)}


def build_cage() -> Cage:
    """The whole cage's topology: box, rings and caps."""
    cage = Cage()
    add_box(cage, set().union(*(_cells(opening) for opening in OPENINGS)))
    for opening in OPENINGS:
        for number, tag in enumerate(opening.rings):
            cage.add_ring(opening.ring(number), opening.ring(number + 1), tag, opening.flip)
        if opening.cap:
            u0, u1, v0, v1 = opening.rect
            last = opening.ring(len(opening.rings))
            cage.add_cap(last, opening.key, (u1 - u0, v1 - v0), opening.cap, opening.flip)
    return cage
