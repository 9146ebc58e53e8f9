"""Everything that the sandbox is made of, in one object, and its beginning and end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from telephony.sandbox.account import tokens
from telephony.sandbox.account.store import Account
from telephony.sandbox.calls.calls import Calls
from telephony.sandbox.calls.conferences import Conferences
from telephony.sandbox.calls.parked import call_from_browser
from telephony.sandbox.calls.parties import AgentScript, Tally
from telephony.sandbox.clock import now
from telephony.sandbox.config import Config
from telephony.sandbox.journal import Journal, logger
from telephony.sandbox.keys import ensure_keys
from telephony.sandbox.media.quiet import QuietSwitch
from telephony.sandbox.media.switch import MediaSwitch
from telephony.sandbox.recordings import Recordings
from telephony.sandbox.rest.commands import Commands
from telephony.sandbox.rest.repeats import Repeats
from telephony.sandbox.texml.sounds import Sounds
from telephony.sandbox.trouble import Trouble
from telephony.sandbox.verto.gateway import LoginAttempt, Registration, VertoGateway
from telephony.sandbox.webhooks import Webhooks


class World:
    def __init__(self, config: Config) -> None:
        self.config = config
        self.key = ensure_keys(config.folder)
        self.journal = Journal()
        self.trouble = Trouble()
        self.account = Account(config.folder / "account.json")
        self.calls = Calls()
        self.conferences = Conferences(self)
        # Scripted telephones: by SIP user name, or by number for people on the telephone network.
        self.agents: dict[str, AgentScript] = {}
        self.tallies: dict[str, Tally] = {}
        self.searched_numbers: set[str] = set()
        self.commands = Commands()
        self.repeats = Repeats()
        self.sounds = Sounds()
        self.origin = config.origin
        self.switch: MediaSwitch = MediaSwitch() if config.media else QuietSwitch()
        self.gateway = VertoGateway(
            switch=self.switch,
            authenticate=self._authenticate,
            on_registered=self._registered,
            on_unregistered=self._unregistered,
            on_invite=lambda invite: call_from_browser(self, invite),
        )
        self.apply_settings()
        self.recordings = Recordings(self)
        self._tasks: set[asyncio.Task[Any]] = set()
        self.webhooks = Webhooks(
            key=self.key, timing=config.timing, trouble=self.trouble, journal=self.journal, spawn=self.spawn
        )

    @property
    def second_s(self) -> float:
        """How long a second of a document lasts."""
        return self.config.timing.second_s * float(self.account.settings["time_scale"])

    def apply_settings(self) -> None:
        """To be called after every change of the account's settings."""
        self.switch.time_scale = float(self.account.settings["time_scale"])

    async def start(self) -> None:
        from telephony.sandbox.rest.orders import complete  # orders know the world

        await self.switch.start()
        await self.webhooks.start()
        for order in self.account.table("number_orders").values():
            if order["status"] == "pending":
                self.spawn(complete(self, order["id"]))

    async def stop(self) -> None:
        self.recordings.stop_all()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.gateway.close()
        await self.webhooks.stop()
        await self.switch.stop()
        self.account.flush()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run beside everything else; an exception is logged as the sandbox's own error."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("A task of the sandbox failed", exc_info=error)
            self.journal.error(f"The sandbox itself failed: {type(error).__name__}: {error}")

    @property
    def is_quiet(self) -> bool:
        """No call lives and nothing is under way: tests wait for this."""
        return not self._tasks and not self.calls.live_legs()

    def is_registered(self, sip_username: str) -> bool:
        return sip_username in self.agents or self.gateway.is_registered(sip_username)

    def tally(self, name: str) -> Tally:
        """The count of a scripted telephone."""
        return self.tallies.setdefault(name, Tally())

    async def drop_registration(self, sip_username: str) -> bool:
        """Cut the browser's socket, as a lost network does. False when nobody is there."""
        if not self.gateway.is_registered(sip_username):
            return False
        await self.gateway.drop_socket(sip_username)
        return True

    async def forget_everything(self) -> None:
        """As after the first start: calls hung up, account empty, switches off. The keys stay."""
        from telephony.sandbox.calls.endings import HUNG_UP_BY_API
        from telephony.sandbox.calls.legs import ended

        legs = list(self.calls.live_legs())
        for leg in legs:
            leg.end(HUNG_UP_BY_API)
        # Their documents stop before anything is cleared: a talk that was being recorded would else file it afterwards.
        for leg in legs:
            if leg.document is not None:
                await ended(leg.document)
        self.recordings.stop_all()
        for recording_id in list(self.account.table("recordings")):
            self.recordings.remove(recording_id)
        self.account.clear()
        self.apply_settings()
        self.agents.clear()
        self.tallies.clear()
        self.searched_numbers.clear()
        self.conferences.clear()
        self.sounds.clear()
        self.repeats.clear()
        self.trouble.update({"all_off": True})
        self.calls = Calls()
        self.journal.clear()

    def _authenticate(self, attempt: LoginAttempt) -> str | None:
        """By token, or by a credential's own name and password, as the SDK may do; the name wins if both are given."""
        if attempt.login is not None:
            credential = self.account.credential_of(attempt.login)
            is_right = credential is not None and credential["sip_password"] == attempt.password
        else:
            credential_id = tokens.credential_id_of(self.key, attempt.login_token or "", now())
            credential = self.account.get("telephony_credentials", credential_id)
            is_right = credential is not None
        if credential is None or not is_right or tokens.has_expired(credential, now()):
            self.journal.error("A browser's log-in was refused: unknown, changed or expired token")
            return None
        return str(credential["sip_username"])

    def _registered(self, registration: Registration) -> None:
        self.journal.info(f"{registration.sip_username} registered")

    def _unregistered(self, registration: Registration) -> None:
        self.journal.info(f"{registration.sip_username} is not registered any more")
