"""Figures of speed, memory and quality; each module prints a table and writes JSON."""
