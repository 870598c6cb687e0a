"""A fake worker for tests of the client; a fresh Blender file and a small face where bpy is."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from blender_addon.worker import Launch, Worker

FAKE_WORKER = Path(__file__).parent / "fake_worker.py"


@pytest.fixture
def fake_launch(tmp_path: Path) -> Callable[..., Launch]:
    """fake_launch("behaviour", ...) -> how to start fake_worker.py with that behaviour."""

    def make(*behaviour: str) -> Launch:
        return Launch((sys.executable, str(FAKE_WORKER), *behaviour), {}, tmp_path / "worker.log")

    return make


@pytest.fixture
def fake_worker(fake_launch: Callable[..., Launch]) -> Iterator[Callable[..., Worker]]:
    """fake_worker("behaviour") -> a started Worker, killed after the test."""
    started: list[Worker] = []

    def start(*behaviour: str) -> Worker:
        started.append(Worker(fake_launch(*behaviour)))
        return started[-1]

    yield start
    for worker in started:
        worker.kill()


@pytest.fixture(scope="session")
def addon() -> Iterator[Any]:
    """The add-on registered in this process's Blender."""
    pytest.importorskip("bpy")
    import blender_addon

    blender_addon.register()
    yield blender_addon
    blender_addon.unregister()


@pytest.fixture
def scene(addon: Any) -> Iterator[Any]:
    """An empty scene at 30 fps in a fresh file, with no job, message or worker left over."""
    import bpy

    from blender_addon import press, session

    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.context.scene.render.fps = 30
    yield bpy.context.scene
    press.abandon()
    session.CURRENT.tell("")


@pytest.fixture
def ball(scene: Any, tiny_pack: Path) -> Any:
    """The tiny pack's mesh as an artist might have it: in Blender's axes, ten times the size."""
    from tests.addon.faces import add_ball

    scene.soliloquy.model = str(tiny_pack)
    face = add_ball("Ball")
    scene.soliloquy.face = face
    return face


@pytest.fixture(scope="session")
def emotional_pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny pack that knows neutral, surprised (the brow is lifted by 2 cm) and angry."""
    from tests.data import make_tiny_pack

    return make_tiny_pack.make_emotional(tmp_path_factory.mktemp("packs") / "emotional").path


@pytest.fixture
def spoken(ball: Any, scene: Any, write_wav: Callable[..., Path], voice: Any) -> Any:
    """The scene with the ball chosen and a voice file from frame 10."""
    scene.soliloquy.source = "FILE"
    scene.soliloquy.filepath = str(write_wav(voice))
    scene.soliloquy.first_frame = 10
    return scene
