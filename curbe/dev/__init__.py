"""The commands of a developer's machine: `make run`, `make test`, and the process start of `make bench`.

Nothing here imports Django: the product's own commands run as child processes (`manage.py …`), so that a broken
setting is a line on the console and not a traceback of the command that should have shown it.
"""
