"""Calls and their legs: who is connected, how it began, how it ended, and who is told."""
