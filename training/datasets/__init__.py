"""The field's data sets, read exactly as published, and anyone's own captures.

Every layout gives the same thing, a `dataset.Dataset`; `layouts.read` chooses by name.
"""
