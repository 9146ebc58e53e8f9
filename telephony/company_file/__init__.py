"""The sections of the company file that belong to telephony. An import never buys a number."""

from __future__ import annotations

from typing import Final

from telephony.company_file.after_calls import BREAKS, DISPOSITIONS, WRAP_UP
from telephony.company_file.announcements import ANNOUNCEMENTS
from telephony.company_file.hours import HOURS
from telephony.company_file.menus import MENUS
from telephony.company_file.numbers import NUMBERS
from telephony.company_file.queues import QUEUES
from telephony.company_file.voicemail import VOICEMAIL

#: In the order in which they are applied and written.
SECTIONS: Final = (HOURS, QUEUES, MENUS, NUMBERS, ANNOUNCEMENTS, BREAKS, DISPOSITIONS, WRAP_UP, VOICEMAIL)
