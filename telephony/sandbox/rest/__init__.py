"""Telnyx's API v2, as far as Curbe's client uses it; what it does not know it refuses by name."""
