"""``/voicemail/boxes/``: greetings as text, who is written to, and who may edit which box."""

from __future__ import annotations

import pytest

from curbe.companies.models import Company, User
from recordings.models import TranscriptPolicy
from telephony.core.plan import COMPANY
from telephony.models import VoicemailBox
from telephony.operations.plans import current_plan
from tests import cast
from tests.pages.people import looking, words

URL = "/voicemail/boxes/company/"
FORM = {"say_es": "", "say_en": "", "max_length_s": "60", "transcribe": "on", "emails": ""}


def test_a_text_is_kept_and_published_in_the_plan(acme: Company, alice: User) -> None:
    said = {**FORM, "say_es": "Acme no contesta.", "emails": "a@acme.test, b@acme.test\na@acme.test", "of_calls": "on"}

    answer = looking(alice).post(URL, said)

    assert answer.status_code == 302
    box = VoicemailBox.objects.get()
    assert (box.say_es, box.emails, box.transcribe) == ("Acme no contesta.", ["a@acme.test", "b@acme.test"], True)
    assert current_plan(acme.pk).boxes[COMPANY].say == {"es": "Acme no contesta."}
    assert TranscriptPolicy.objects.get().of_calls
    page = words(looking(alice).get("/voicemail/boxes/"))
    assert "Acme no contesta." in page
    assert "a@acme.test, b@acme.test" in page


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"emails": "not an address"}, "not an address"),
        ({"emails": "\n".join(f"a{n}@acme.test" for n in range(11))}, "At most 10 addresses"),
        ({"max_length_s": "5"}, "10"),
        ({"max_length_s": "301"}, "300"),
        ({"say_es": "x" * 501}, "500"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(alice: User, wrong: dict[str, str], said: str) -> None:
    answer = looking(alice).post(URL, {**FORM, **wrong})

    assert answer.status_code == 422
    assert said in words(answer)
    assert not VoicemailBox.objects.exists()


def test_each_may_edit_what_is_his(acme: Company, alice: User, bob: User, sam: User, mallory: User) -> None:
    queue, luis = cast.make_queue(acme), cast.make_agent(acme, "luis")
    own, other = f"/voicemail/boxes/user/{bob.agents.get().pk}/", f"/voicemail/boxes/user/{luis.pk}/"
    of_queue = f"/voicemail/boxes/queue/{queue.pk}/"

    def statuses(person: User) -> list[int]:
        return [cast.client_for(person).get(url).status_code for url in (URL, of_queue, own, other)]

    assert statuses(alice) == [200, 200, 200, 200]
    assert statuses(bob) == [403, 403, 200, 403]
    assert statuses(sam) == [403, 403, 403, 403]
    assert statuses(mallory) == [200, 404, 404, 404]
    assert cast.client_for(bob).post(own, {**FORM, "say_en": "I am Bob."}).status_code == 302
    assert cast.client_for(bob).post(of_queue, FORM).status_code == 403
    assert VoicemailBox.objects.get().agent == bob.agents.get()
