"""The Soliloquy head: a face of the project's own, made by numpy code from nothing but formulas."""
