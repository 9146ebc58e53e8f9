"""What Unfold, which brings no Spanish, writes on pages of the operator's console.

Named here so that ``makemessages`` keeps them in our catalogue; a test tells when Unfold no longer says one.
"""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_noop as _

UNFOLD_WORDS: Final = (
    _("All applications"),
    _("Apply Filters"),
    _("Click to cancel"),
    _("Dark"),
    _("Expand row"),
    _("False"),
    _("General"),
    _("Go back"),
    _("Light"),
    _("Loading more results..."),
    _("More actions"),
    _("Next"),
    _("No recent searches"),
    _("No results found"),
    _("No results matching your query"),
    _("Previous"),
    _("Recent searches"),
    _("Reset filters"),
    _("Return to site"),
    _("Run"),
    _("Search apps and models..."),
    _("Select action"),
    _("Select action to run"),
    _("Select all rows"),
    _("Select record"),
    _("Select value"),
    _("System"),
    _("This item will be deleted."),
    _("This page yielded into no results. Create a new item or reset your filters."),
    _("Toggle password visibility"),
    _("True"),
    _("Type to search"),
)
