"""The studio corpus: synthetic speech with true phone times, and the face motion that speaks it."""
