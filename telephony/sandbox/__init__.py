"""A pretend Telnyx that is honest: a process of its own, which imports nothing of Curbe and is imported by nothing.

It speaks what Telnyx's documents say (REST v2, TeXML, signed webhooks, Verto for the browser SDK), refuses loudly what
they do not say, and lists what it had to assume in `docs/telnyx-assumptions.md`.
"""
