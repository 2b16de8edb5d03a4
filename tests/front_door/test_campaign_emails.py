"""GET and PATCH /v2/campaign/{id}/emails: settings and templates, partly changed, never half."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from grapevine.engine.mail import identities
from grapevine.engine.mail.templates.defaults import DEFAULTS
from grapevine.table import email_keys, keys
from local.stack import Stack
from tests.accounts import account_of, allow_sender, another_account, disallow_sender
from tests.api import Api, Json
from tests.invariants import table_of
from tests.mailing import FROM, TEMPLATES, Mailing
from tests.scenarios import interrupted

FOOT = "{{emailFooter}}"


@pytest.fixture
def path(api: Api) -> str:
    return f"/v2/campaign/{api.campaign(live=False)}/emails"


def change(api: Api, path: str, **body: Any) -> Json:
    return api.ok("PATCH", path, body)


def test_a_new_campaign_has_every_template_and_sends_nothing(api: Api, path: str) -> None:
    shown = api.ok("GET", path)

    assert set(shown) == {"settings", *TEMPLATES}
    assert shown["settings"]["sender"] == {
        "fromEmail": None,
        "fromName": None,
        "replyToEmail": None,
    }
    assert shown["settings"]["design"] == {"layoutMode": "INLINE"}
    for key, default in DEFAULTS.items():
        assert shown[key] == {
            "isEnabled": True,
            "subject": default.subject,
            "preheader": default.preheader,
            "body": default.body,
            "text": None,
        }


def test_only_what_is_sent_changes(api: Api, path: str) -> None:
    before = api.ok("GET", path)

    change(api, path, settings={"sender": {"fromEmail": FROM, "fromName": "Hooli"}})
    change(api, path, settings={"sender": {"fromName": "Hooli Friends"}, "contact": {"city": "LA"}})
    change(api, path, goalAchieved={"subject": "Well done"})
    after = change(api, path, goalAchieved={"isEnabled": False}, welcomeReferred={"preheader": ""})

    assert api.ok("GET", path) == after
    assert after["settings"]["sender"] == {
        "fromEmail": FROM,
        "fromName": "Hooli Friends",
        "replyToEmail": None,
    }
    assert after["settings"]["contact"]["city"] == "LA"
    assert after["goalAchieved"] == {
        **before["goalAchieved"],
        "subject": "Well done",
        "isEnabled": False,
    }
    assert after["welcomeReferred"] == {**before["welcomeReferred"], "preheader": ""}
    untouched = set(TEMPLATES) - {"goalAchieved", "welcomeReferred"}
    assert {key: after[key] for key in untouched} == {key: before[key] for key in untouched}


def test_null_takes_the_default_again(api: Api, path: str) -> None:
    before = api.ok("GET", path)
    own = {"subject": "s", "preheader": "p", "body": f"<p>b</p>{FOOT}", "text": f"t {FOOT}"}
    sender = {"fromEmail": FROM, "fromName": "Hooli", "replyToEmail": "help@hooli.example"}
    invites = {"referrerMessage": "Hi", "dailyLimit": 5, "dailyLimitPerParticipant": 1}
    contact = {"addressLine1": "1 Road", "companyName": "Hooli"}
    settings: dict[str, Json] = {"sender": sender, "invites": invites, "contact": contact}
    changed = change(api, path, settings=settings, goalAchieved=own, referredSignup=own)
    for key in ("goalAchieved", "referredSignup"):
        assert changed[key] == {"isEnabled": True, **own}

    change(
        api,
        path,
        settings={name: dict.fromkeys(values) for name, values in settings.items()},
        goalAchieved=None,
        referredSignup=dict.fromkeys(own),
    )

    assert api.ok("GET", path) == before


def test_a_template_that_is_reset_stays_off(api: Api, path: str) -> None:
    change(api, path, goalAchieved={"isEnabled": False, "subject": "s"})

    after = change(api, path, goalAchieved=None)

    assert after["goalAchieved"]["subject"] == DEFAULTS["goalAchieved"].subject
    assert after["goalAchieved"]["isEnabled"] is False


def test_the_companys_name_is_the_campaigns(api: Api) -> None:
    campaign_id = api.campaign(live=False)
    path = f"/v2/campaign/{campaign_id}"
    api.ok("PATCH", path, {"companyName": "Hooli"})

    contact = api.ok("GET", f"{path}/emails")["settings"]["contact"]
    change(api, f"{path}/emails", settings={"contact": {"companyName": "Pied Piper"}})

    assert contact["companyName"] == "Hooli"
    answer = api.ok("GET", f"{path}/emails")
    assert answer["settings"]["contact"]["companyName"] == "Pied Piper"


@pytest.mark.parametrize("address", ["me@unverified.example", "me@sub.unverified.example"])
def test_an_address_that_ses_does_not_know_is_refused(api: Api, path: str, address: str) -> None:
    before = api.ok("GET", path)
    body = {"settings": {"sender": {"fromEmail": address}}, "goalAchieved": {"subject": "s"}}

    answer = api.call("PATCH", path, body)

    assert answer.status_code == 400
    (problem,) = answer.json()["errors"]
    assert (problem["field"], problem["code"]) == ("settings.sender.fromEmail", "not_verified")
    assert api.ok("GET", path) == before


def test_a_campaign_that_can_send_has_its_salt_before_anybody_joins(stack: Stack, api: Api) -> None:
    campaign_id = api.campaign()
    path = f"/v2/campaign/{campaign_id}"
    assert keys.salt(campaign_id) not in table_of(stack)

    change(api, f"{path}/emails", **_sender(FROM))

    clone = api.ok("POST", f"{path}/clone")["id"]
    before = table_of(stack)
    assert {keys.salt(campaign_id), keys.salt(clone)} <= before.keys()
    api.add(campaign_id, referredBy=api.add(campaign_id)["id"])
    change(api, f"{path}/emails", **_sender("others@hooli.example"))
    after = table_of(stack)
    assert after[keys.salt(campaign_id)] == before[keys.salt(campaign_id)]


def _sender(address: str) -> Json:
    return {"settings": {"sender": {"fromEmail": address}}}


def test_an_account_sends_from_its_own_addresses_alone(stack: Stack, api: Api) -> None:
    with another_account(stack) as other:
        path = f"/v2/campaign/{other.campaign(live=False)}/emails"
        before = other.ok("GET", path)
        account_id = account_of(stack, other)
        verified = "friends@hooli.example"
        sent = {**_sender(verified), "goalAchieved": {"subject": "s"}}

        answer = other.call("PATCH", path, sent)

        assert answer.status_code == 400
        (problem,) = answer.json()["errors"]
        assert (problem["field"], problem["code"]) == ("settings.sender.fromEmail", "not_allowed")
        # Whether SES has verified somebody else's address is nobody's business.
        unknown = other.call("PATCH", path, _sender("me@unverified.example")).json()
        assert unknown["errors"][0]["code"] == "not_allowed"
        assert other.ok("GET", path) == before

        allow_sender(stack, account_id, "shop.Example")
        allow_sender(stack, account_id, "me@mail.example")
        statuses = {
            address: other.call("PATCH", path, _sender(address)).status_code
            for address in (
                "a@shop.example",
                "a@eu.SHOP.example",
                "me@mail.example",
                "you@mail.example",
                "me@eu.mail.example",
                "a@myshop.example",
                "a@shop.example.org",
                verified,
            )
        }
        assert [address for address, status in statuses.items() if status == 200] == [
            "a@shop.example",
            "a@eu.SHOP.example",
            "me@mail.example",
        ]
        assert {*statuses.values()} == {200, 400}
        # Whoever owns it is not hindered.
        own = f"/v2/campaign/{api.campaign(live=False)}/emails"
        assert api.call("PATCH", own, _sender(verified)).status_code == 200
        assert api.call("PATCH", own, _sender("a@shop.example")).status_code == 400


def test_nothing_is_sent_from_an_address_that_was_taken_away(stack: Stack, api: Api) -> None:
    with another_account(stack) as other:
        account_id = account_of(stack, other)
        allow_sender(stack, account_id, "hooli.example")
        mailing = Mailing(stack, other)
        ada = mailing.joins("ada")
        hello = {"subject": "s", "body": "<p>b</p>"}
        mailing.ask(ada["id"], **hello)
        assert len(mailing.to(ada)) == 1

        with stack.hold("SendMailFunction"):
            mailing.ask(ada["id"], subject="2", body="<p>b</p>")
            disallow_sender(stack, account_id, "hooli.example")
            stack.advance(identities.KEPT_MS)
        stack.drain()

        assert len(mailing.to(ada)) == 1
        assert {mail.reason for mail in mailing.mails()} == {None, "From address not allowed"}
        assert mailing.ask(ada["id"], subject="3", body="<p>b</p>").status_code == 400
        body = {"emailAddresses": ["x@example.com"], "subjectText": "s", "messageText": "m"}
        invites = f"/v2/campaign/{mailing.id}/participant/{ada['id']}/invites"
        assert other.call("POST", invites, body).status_code == 400


REFUSED: list[tuple[str, Any]] = [
    ("unknown", {"unknown": {}}),
    ("invite", {"invite": {"isEnabled": True}}),
    ("commissionGenerated", {"commissionGenerated": {"isEnabled": True}}),
    ("goalAchieved.unknown", {"goalAchieved": {"unknown": 1}}),
    ("goalAchieved.isEnabled", {"goalAchieved": {"isEnabled": None}}),
    ("goalAchieved.isEnabled", {"goalAchieved": {"isEnabled": "perhaps"}}),
    ("goalAchieved", {"goalAchieved": "on"}),
    ("goalAchieved", {"goalAchieved": []}),
    ("goalAchieved.subject", {"goalAchieved": {"subject": ""}}),
    ("goalAchieved.subject", {"goalAchieved": {"subject": " "}}),
    ("goalAchieved.subject", {"goalAchieved": {"subject": "x" * 256}}),
    ("goalAchieved.subject", {"goalAchieved": {"subject": "a\r\nBcc: b@x.example"}}),
    ("goalAchieved.subject", {"goalAchieved": {"subject": "a\u2028b"}}),
    ("goalAchieved.subject", {"goalAchieved": {"subject": "{{password}}"}}),
    ("goalAchieved.subject", {"goalAchieved": {"subject": 7}}),
    ("goalAchieved.preheader", {"goalAchieved": {"preheader": "{{"}}),
    ("goalAchieved.body", {"goalAchieved": {"body": "<p>no footer</p>"}}),
    ("goalAchieved.body", {"goalAchieved": {"body": f"{{{{ ''.__class__ }}}}{FOOT}"}}),
    ("goalAchieved.body", {"goalAchieved": {"body": f"{{% for a in b %}}{{% endfor %}}{FOOT}"}}),
    ("goalAchieved.body", {"goalAchieved": {"body": "x" * 50_000 + FOOT}}),
    ("goalAchieved.text", {"goalAchieved": {"text": "no footer"}}),
    ("goalAchieved.text", {"goalAchieved": {"text": "x" * 20_000 + FOOT}}),
    ("settings", {"settings": None}),
    ("settings.unknown", {"settings": {"unknown": 1}}),
    ("settings.sender", {"settings": {"sender": None}}),
    ("settings.sender.unknown", {"settings": {"sender": {"unknown": 1}}}),
    ("settings.sender.fromEmail", {"settings": {"sender": {"fromEmail": "nobody"}}}),
    ("settings.sender.fromEmail", {"settings": {"sender": {"fromEmail": "a@b.example, c@d.ex"}}}),
    ("settings.sender.fromEmail", {"settings": {"sender": {"fromEmail": "a@b.example\r\nX: y"}}}),
    ("settings.sender.fromName", {"settings": {"sender": {"fromName": "a\r\nBcc: b@x.example"}}}),
    ("settings.sender.fromName", {"settings": {"sender": {"fromName": "x" * 101}}}),
    ("settings.sender.replyToEmail", {"settings": {"sender": {"replyToEmail": "x"}}}),
    ("settings.contact.city", {"settings": {"contact": {"city": "a\nb"}}}),
    ("settings.contact.country", {"settings": {"contact": {"country": "x" * 201}}}),
    ("settings.design.layoutMode", {"settings": {"design": {"layoutMode": "LEGACY"}}}),
    ("settings.invites.dailyLimit", {"settings": {"invites": {"dailyLimit": -1}}}),
    ("settings.invites.dailyLimit", {"settings": {"invites": {"dailyLimit": True}}}),
    ("settings.invites.dailyLimit", {"settings": {"invites": {"dailyLimit": 1.5}}}),
    (
        "settings.invites.dailyLimitPerParticipant",
        {"settings": {"invites": {"dailyLimitPerParticipant": 10**9}}},
    ),
]


@pytest.mark.parametrize(("field", "body"), REFUSED)
def test_what_cannot_be_is_refused_by_its_name(api: Api, path: str, field: str, body: Json) -> None:
    answer = api.call("PATCH", path, body)

    assert answer.status_code == 400, answer.text
    assert field in {problem["field"] for problem in answer.json()["errors"]}


def test_a_refused_part_refuses_all_of_it(api: Api, path: str) -> None:
    before = api.ok("GET", path)
    body = {"goalAchieved": {"subject": "fine"}, "referredSignup": {"subject": "{{nothing}}"}}

    answer = api.call("PATCH", path, body)

    assert answer.status_code == 400
    assert api.ok("GET", path) == before


def test_what_changes_nothing_writes_nothing(fresh_stack: Stack) -> None:
    with Api(fresh_stack.url, fresh_stack.api_key) as api:
        path = f"/v2/campaign/{api.campaign(live=False)}/emails"
        change(api, path, goalAchieved={"subject": "s"}, settings={"contact": {"city": "LA"}})
        before = table_of(fresh_stack)

        shown = api.ok("GET", path)
        change(api, path)
        change(api, path, settings={}, welcomeReferred=None, referredSignup={})
        change(api, path, **shown)

    assert table_of(fresh_stack) == before


def test_templates_do_not_make_the_campaign_any_larger(stack: Stack, api: Api) -> None:
    campaign_id = api.campaign(live=False)
    body = "x" * 20_000 + FOOT

    change(
        api,
        f"/v2/campaign/{campaign_id}/emails",
        goalAchieved={"body": body, "text": body[10_000:]},
        referredSignup={"body": body},
    )

    items = table_of(stack)
    assert len(str(items[keys.campaign(campaign_id)])) < 2000
    assert items[email_keys.email_template(campaign_id, "goalAchieved")]["body"] == body


@pytest.mark.parametrize("meanwhile", ["the campaign", "the template", "the other template"])
def test_two_changes_at_once_are_both_made(stack: Stack, api: Api, meanwhile: str) -> None:
    campaign_id = api.campaign(live=False)
    path = f"/v2/campaign/{campaign_id}"
    change(api, f"{path}/emails", goalAchieved={"text": f"t {FOOT}"})
    other: dict[str, Any] = {
        "the campaign": partial(api.ok, "PATCH", path, {"name": "Other"}),
        "the template": partial(change, api, f"{path}/emails", goalAchieved={"preheader": "p"}),
        "the other template": partial(
            change, api, f"{path}/emails", referredSignup={"isEnabled": False}
        ),
    }

    with interrupted(stack, "UpdateEmailsFunction", 2, other[meanwhile]):
        change(api, f"{path}/emails", goalAchieved={"subject": "s", "isEnabled": False})

    shown = api.ok("GET", f"{path}/emails")
    assert shown["goalAchieved"]["subject"] == "s"
    assert shown["goalAchieved"]["isEnabled"] is False
    assert (api.read_campaign(campaign_id)["name"] == "Other") == (meanwhile == "the campaign")
    assert (shown["goalAchieved"]["preheader"] == "p") == (meanwhile == "the template")
    assert shown["referredSignup"]["isEnabled"] == (meanwhile != "the other template")


def test_a_clone_has_the_same_emails_and_changes_them_alone(api: Api) -> None:
    campaign_id = api.campaign(live=False)
    path = f"/v2/campaign/{campaign_id}"
    shown = change(
        api,
        f"{path}/emails",
        settings={"sender": {"fromEmail": FROM}, "contact": {"city": "LA"}},
        goalAchieved={"subject": "s", "isEnabled": False},
        referredSignup={"text": f"t {FOOT}"},
    )

    clone = f"/v2/campaign/{api.ok('POST', f'{path}/clone')['id']}/emails"

    assert api.ok("GET", clone) == shown
    change(api, clone, goalAchieved={"subject": "other"}, referredSignup=None)
    assert api.ok("GET", f"{path}/emails") == shown
