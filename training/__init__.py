"""Training: corpora, networks, metrics and export (``python -m training``)."""
