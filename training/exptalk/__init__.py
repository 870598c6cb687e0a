"""ExpTalk: what it has beyond the parts it shares with GLDiTalker."""
