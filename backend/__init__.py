"""Soliloquy's inference library and worker: numpy and onnxruntime, never torch, never bpy."""

__version__ = "0.1.0"
