"""The account at the pretend Telnyx: what it owns, kept in one file."""
