"""``python -m training report``: an evaluation as a page with pictures."""
