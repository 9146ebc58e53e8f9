"""Telnyx's browser side: the Verto gateway that the unmodified @telnyx/webrtc talks to, with real media."""
