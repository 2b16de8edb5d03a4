"""Stories that several tests tell to a running stack, and what moves its time and its luck."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar
from unittest.mock import patch

from grapevine import runtime
from grapevine.engine.access import CAMPAIGN_CACHE_MS
from grapevine.engine.mechanics import counters
from grapevine.engine.month_end.calendar import IN_FLIGHT_MS
from grapevine.engine.month_end.close import SETTLED_BY_MS
from grapevine.engine.participants.add import NewParticipant, add
from grapevine.engine.participants.delete import ERASE_AFTER_MS
from grapevine.engine.salts import address_hash, drawn, new_salt, salt_in
from grapevine.months import month_at, name_of, start_of
from grapevine.table import keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.invites import Invite
from grapevine.table.writes import ABSENT, Put, version
from local import invocation
from local.mail_service import LOST_ANSWER
from local.stack import Stack
from tests import coding, post_office, reporting, visitors
from tests.api import Api, unique_email
from tests.mailing import TEMPLATES, Mailing
from tests.playing import GOLD, Game, by_moments, mechanics

T = TypeVar("T")

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


def drain(api: Api) -> None:
    """Everything that happens in the background has happened."""
    api.ok("POST", "/_local/drain")


def project(stack: Stack) -> None:
    """Ranks and totals are up to date; nothing else has moved."""
    if records := stack.take_records("ProjectStandingsFunction"):
        stack.deliver("ProjectStandingsFunction", records)


def advance(api: Api, milliseconds: int) -> None:
    api.ok("POST", "/_local/clock", {"advanceMs": milliseconds})


def erase(api: Api) -> None:
    """Deleted participants have been cleaned up after."""
    advance(api, ERASE_AFTER_MS)
    drain(api)


def leap(stack: Stack, to_ms: int) -> None:
    """Moves the clock to a time as if no schedule had fired on the way there.

    It is what a scheduler that failed for weeks looks like, and cheap: an ordinary move of a month
    sweeps 720 times.
    """
    stack._clock.run_from(to_ms)
    for appointment in stack._worker._agenda._appointments:
        appointment.next_at = appointment.timing.next_after(to_ms)


@dataclass(slots=True)
class Interruption:
    """`happened`: the function made that many calls, so there was a moment to interrupt."""

    happened: bool = False


@contextmanager
def interrupted(
    stack: Stack,
    function_id: str,
    after_calls: int,
    happening: Callable[[], object],
    *,
    for_certain: bool = True,
) -> Iterator[Interruption]:
    """Something happens right after the call number `after_calls` of the function's next run.

    The run goes on when it is over: so every order of two requests that a race can bring about is
    brought about on purpose. `for_certain`: the function must make that many calls.
    """
    interruption, turn = Interruption(), threading.Lock()

    def look(**_: Any) -> None:
        running = invocation.current()
        if running is None or running.function_id != function_id or running.calls < after_calls:
            return
        with turn:
            first, interruption.happened = not interruption.happened, True
        if first:
            happening()

    events = [client.meta.events for client in stack._clients.values()]
    for each in events:
        each.register("after-call", look)
    try:
        yield interruption
    finally:
        for each in events:
            each.unregister("after-call", look)
    assert interruption.happened or not for_certain, f"{function_id} made fewer calls"


def at_once(stack: Stack, calls: Sequence[Callable[[Api], T]], threads: int = 50) -> list[T]:
    """The results of API calls that start at the same moment, each thread with a client of its own.

    With fewer threads than calls the rest follow as fast as they can.
    """
    own, clients = threading.local(), ExitStack()
    start = threading.Barrier(min(threads, len(calls)))

    def begin() -> None:
        own.api = clients.enter_context(Api(stack.url, stack.api_key))
        own.api.ok("GET", "/_local/clock")  # opens the connection
        start.wait(timeout=30)

    with clients, ThreadPoolExecutor(start.parties, initializer=begin) as pool:
        return list(pool.map(lambda call: call(own.api), calls))


def friends_of(stack: Stack, campaign_id: str, referrer: str | None, number: int) -> list[str]:
    """The ids of new friends (of nobody's, without a referrer), made past the API: an answer of it
    costs more than the adding."""
    with runtime.using(stack.runtime()):
        item = store.get(keys.campaign(campaign_id))
        assert item is not None
        campaign = Campaign.from_item(item)
        new = [NewParticipant(email=unique_email(), referred_by=referrer) for _ in range(number)]
        return [add(campaign, one).participant.participant_id for one in new]


def run_all(stack: Stack) -> None:
    """Every function goes through every branch that calls AWS in another way."""
    with Api(stack.url, stack.api_key) as api:
        campaign_id = campaigns(stack, api)
        newcomers(stack, api, campaign_id)
        credits_at_sign_up(api)
        referrals(stack, api, campaign_id)
        changes(stack, api, campaign_id)
        frauds(api, campaign_id)
        answers_to_invites(stack, api)
        lists_of_referrals(api, campaign_id)
        departures(stack, api, campaign_id)
        pages(api, campaign_id)
        rewards(stack, api)
        webhooks(stack, api)
        tracking(stack, api)
        invites(stack, api)
        months(stack, api)
        emails(stack, api)
        plays(stack)
        reports(stack, api)
        codes(stack)
        assert api.call("GET", "/nowhere").status_code == 404


def campaigns(stack: Stack, api: Api) -> str:
    """Every operation on campaigns, each change once undisturbed and once against another one.

    Gives the id of a live campaign with a credit window of a day.
    """
    campaign_id = api.campaign(options={"referralCreditWindowDays": 1})
    path = f"/v2/campaign/{campaign_id}"
    for function_id, part, body, other in (
        ("UpdateCampaignFunction", "", {"name": "Spring"}, {"companyName": "Vine"}),
        (
            "UpdateInstallationFunction",
            "/installation",
            {"shareUrl": "https://example.com/"},
            {"referralTrigger": "CUSTOM"},
        ),
        (
            "UpdateOptionsFunction",
            "/options",
            {"attributionModel": "FIRST_CLICK"},
            {"referralCookieWindowDays": 7},
        ),
    ):
        meanwhile = partial(api.ok, "PATCH", path, {"name": f"Winter {part}"})
        with interrupted(stack, function_id, 1, meanwhile):
            api.ok("PATCH", f"{path}{part}", body)
        api.ok("PATCH", f"{path}{part}", other)
        api.ok("GET", f"{path}{part}")
    fraud = {"blockedEmails": ["rival.example"], "blockHighRiskReferrers": True}
    for slug in ("spring", "summer", None):
        api.ok("PATCH", path, {"slug": slug})
    for _ in range(2):
        api.ok("PATCH", f"{path}/options", {"fraud": fraud})
    api.ok("GET", f"{path}/options")
    api.ok("POST", f"{path}/clone")
    assert len(api.ok("GET", "/v2/campaigns")["campaigns"]) > 1
    return campaign_id


def newcomers(stack: Stack, api: Api, campaign_id: str) -> None:
    """Participants join: new, known already, referred by all names, and two with one e-mail."""
    referrer = api.add(campaign_id, firstName="Ada")
    assert not api.add(campaign_id, referrer["email"])["isNew"]
    for name in (referrer["id"], referrer["email"], *referrer["vanityKeys"], "nobody"):
        api.add(campaign_id, referredBy=name)
    email = unique_email()
    with interrupted(stack, "AddParticipantFunction", 3, lambda: api.add(campaign_id, email)):
        assert not api.add(campaign_id, email)["isNew"]
    drain(api)


def credits_at_sign_up(api: Api) -> None:
    campaign_id = api.campaign(installation={"referralTrigger": "ON_SIGNUP"})
    referrer = api.add(campaign_id)["id"]
    friend = api.add(campaign_id, referredBy=referrer)["id"]
    assert not api.trigger(campaign_id, friend)["success"]
    drain(api)
    assert api.read_campaign(campaign_id)["referralCount"] == 1


def referrals(stack: Stack, api: Api, campaign_id: str) -> None:
    """Credits: at once, against another one, delayed, moved, taken back, due, and expired."""
    referrer = api.add(campaign_id)["id"]
    at_once, raced, delayed, canceled, rescheduled, forgotten = (
        api.add(campaign_id, referredBy=referrer)["id"] for _ in range(6)
    )
    with interrupted(
        stack, "TriggerReferralFunction", 2, lambda: api.trigger(campaign_id, at_once)
    ):
        api.trigger(campaign_id, raced)
    assert not api.trigger(campaign_id, at_once)["success"]
    assert not api.trigger(campaign_id, referrer)["success"]
    api.trigger(campaign_id, delayed, delayInDays=3)
    with interrupted(
        stack,
        "CancelReferralTriggerFunction",
        2,
        lambda: api.trigger(campaign_id, canceled, delayInDays=2),
    ):
        api.trigger(campaign_id, canceled, delayInDays=1)
        assert api.cancel_trigger(campaign_id, canceled)["success"]
    assert not api.cancel_trigger(campaign_id, canceled)["success"]
    api.trigger(campaign_id, delayed, delayInDays=1)
    api.update(campaign_id, rescheduled, referralStatus="CREDIT_EXPIRED")
    api.update(campaign_id, rescheduled, referralStatus="CREDIT_PENDING")
    drain(api)
    advance(api, DAY_MS + HOUR_MS)
    drain(api)
    assert api.read(campaign_id, referrer)["referralCount"] == 3
    assert api.read(campaign_id, forgotten)["referralStatus"] == "CREDIT_EXPIRED"


def changes(stack: Stack, api: Api, campaign_id: str) -> None:
    """Participants change: plain fields, what guards hold, a referrer, and against others."""
    referrer, friend, other = (api.add(campaign_id) for _ in range(3))
    api.update(campaign_id, friend["id"], email=unique_email(), vanityKeys=["grace", "Hopper"])
    api.update(campaign_id, friend["id"], vanityKeys=["hopper"])
    taken = {"vanityKeys": ["HOPPER"]}
    path = f"/v2/campaign/{campaign_id}/participant/{other['id']}"
    assert api.call("POST", path, taken).status_code == 400
    with interrupted(
        stack,
        "UpdateParticipantFunction",
        1,
        lambda: api.update(campaign_id, other["email"], notes="first"),
    ):
        api.update(campaign_id, other["email"], firstName="Grace")
    body = {"referredBy": referrer["id"], "referralStatus": "CREDIT_AWARDED"}
    api.update(campaign_id, friend["id"], **body)
    assert api.read(campaign_id, referrer["email"])["referrals"] == [friend["id"]]
    assert api.read(campaign_id, friend["id"])["referrer"]["id"] == referrer["id"]


def frauds(api: Api, campaign_id: str) -> None:
    """A referrer is found out by a friend, is refused credit, and all who were recognised leave."""
    referrer = api.add(campaign_id, fingerprint="one")["id"]
    pending = api.add(campaign_id, referredBy=referrer)["id"]
    friend = api.add(campaign_id, referredBy=referrer, fingerprint="one")["id"]
    assert api.read(campaign_id, referrer)["fraudRiskLevel"] == "HIGH"
    assert not api.trigger(campaign_id, pending)["success"]
    api.update(campaign_id, pending, email=unique_email())
    for one in (referrer, pending):
        path = f"/v2/campaign/{campaign_id}/participant/{one}/fraud"
        word = {"fraudRiskLevel": "LOW", "note": "A family"}
        assert api.ok("POST", path, word)["history"][-1]["note"] == "A family"
        assert api.ok("GET", path)["fraudRiskLevel"] == "LOW"
    drain(api)
    reviews(api)
    for one in (pending, friend, referrer):
        api.delete(campaign_id, one)
    erase(api)


def reviews(api: Api) -> None:
    """A credit that is held back is released and earns what the campaign offers."""
    campaign_id = api.campaign(
        options={
            "requireManualFraudApproval": True,
            "fraud": {"blockHighRiskReferrers": True},
        },
        installation={"referralTrigger": "ON_SIGNUP"},
    )
    reward = {"type": "DOUBLE_SIDED", "referredRewardUpfront": True}
    api.ok("POST", f"/v2/campaign/{campaign_id}/reward-configs", reward)
    referrer = api.add(campaign_id, ipAddress="203.0.113.2")["id"]
    friend = api.add(campaign_id, referredBy=referrer, ipAddress="203.0.113.2")["id"]
    path = f"/v2/campaign/{campaign_id}/participant/{friend}/fraud"
    api.ok("POST", path, {"fraudRiskLevel": "LOW"})
    assert api.read(campaign_id, referrer)["referralCount"] == 1
    device = {"fingerprint": "two"}
    referrer = api.add(campaign_id, **device)["id"]
    friend = api.add(campaign_id, referredBy=referrer, **device)["id"]
    for one in (friend, referrer):
        path = f"/v2/campaign/{campaign_id}/participant/{one}/fraud"
        api.ok("POST", path, {"fraudRiskLevel": "LOW"})
    assert api.read(campaign_id, referrer)["referralCount"] == 1
    held = api.add(campaign_id, referredBy=referrer, **device)["id"]
    api.set_status(campaign_id, "COMPLETE")
    path = f"/v2/campaign/{campaign_id}/participant/{held}/fraud"
    assert api.ok("POST", path, {"fraudRiskLevel": "LOW"})["isHeld"]
    api.set_status(campaign_id, "IN_PROGRESS")
    assert api.trigger(campaign_id, held)["success"]
    drain(api)


def departures(stack: Stack, api: Api, campaign_id: str) -> None:
    """Participants leave: alone, as somebody's friend, with friends of their own, and in bulk."""
    referrer = api.add(campaign_id)
    friend, credited, delayed = (api.add(campaign_id, referredBy=referrer["id"]) for _ in range(3))
    alone, another, raced = (api.add(campaign_id, metadata={"plan": "pro"}) for _ in range(3))
    assert len(api.page(campaign_id, **{"metadata[plan]": "pro"})["participants"]) == 3
    api.trigger(campaign_id, credited["id"])
    api.trigger(campaign_id, delayed["id"], delayInDays=1)
    api.delete(campaign_id, credited["email"])
    with interrupted(
        stack,
        "DeleteParticipantFunction",
        1,
        lambda: api.update(campaign_id, raced["id"], notes="still here"),
    ):
        api.delete(campaign_id, raced["id"])
    api.delete(campaign_id, referrer["id"])
    body = {"participants": [alone["id"], another["email"], alone["email"], "nobody"]}
    api.ok("POST", f"/v2/campaign/{campaign_id}/participants/bulk-delete", body)
    erase(api)
    assert api.read(campaign_id, friend["id"])["referralSource"] == "DELETED_PARTICIPANT"


def answers_to_invites(stack: Stack, api: Api) -> None:
    """Invited addresses and others join in each way, and the inviter leaves."""
    campaign_id = api.campaign()
    referrer = api.add(campaign_id)["id"]
    sends_invites(stack, campaign_id)
    api.add(campaign_id, referredBy=referrer)
    addresses = [unique_email() for _ in range(4)]
    invited(stack, campaign_id, referrer, *addresses)
    for address in (addresses[0], unique_email()):
        api.add(campaign_id, address, referredBy=referrer)
    for address in (addresses[1], unique_email()):
        api.update(campaign_id, api.add(campaign_id, address)["id"], referredBy=referrer)
    for address in (addresses[2], unique_email()):
        friend = api.add(campaign_id, referredBy=referrer)["id"]
        api.update(campaign_id, friend, email=address)
    api.delete(campaign_id, referrer)
    erase(api)


def sends_invites(stack: Stack, campaign_id: str) -> None:
    """Gives the campaign an address that its e-mails come from, past the API."""
    with runtime.using(stack.runtime()):
        item = store.get(keys.campaign(campaign_id))
        assert item is not None
        campaign = Campaign.from_item(item)
        emails = {"fromEmail": "spring@example.com"}
        changed = replace(campaign, version=campaign.version + 1, emails=emails)
        salted = [Put(drawn(campaign_id).to_item(), ABSENT)]
        store.transact([Put(changed.to_item(), version(campaign.version)), *salted])


def invited(stack: Stack, campaign_id: str, referrer: str, *addresses: str) -> list[str]:
    """The ids of new invites to these addresses, made past the API."""
    with runtime.using(stack.runtime()):
        salt = salt_in(store.get_many([keys.salt(campaign_id)]), campaign_id)
        invites = [
            Invite(
                campaign_id=campaign_id,
                referrer_id=referrer,
                address_hash=address_hash(salt or new_salt(campaign_id), address),
                email=address,
                request_hash="request",
                message_id="message",
                created_at=stack.now_ms(),
            )
            for address in addresses
        ]
        store.transact([Put(invite.to_item(), ABSENT) for invite in invites])
        return [invite.invite_id for invite in invites]


def lists_of_referrals(api: Api, campaign_id: str) -> None:
    """In every order, from a row and from a place on, and the row of one address."""
    referrer = api.add(campaign_id)["id"]
    friends = [api.add(campaign_id, firstName="Ada", referredBy=referrer) for _ in range(3)]
    api.trigger(campaign_id, friends[0]["id"])
    for path in ("", f"/participant/{referrer}"):
        listing = f"/v2/campaign/{campaign_id}{path}/referrals"
        for sort_by in ("updatedAt", "createdAt", "email", "referralTriggeredAt", "firstName"):
            query = {"sortBy": sort_by, "limit": 1}
            next_id = api.ok("GET", listing, params=query)["nextId"]
            for start in (next_id, friends[1]["id"]):
                assert api.ok("GET", listing, params={**query, "nextId": start})["referrals"]
        [found] = api.ok("GET", listing, params={"email": friends[2]["email"]})["referrals"]
        assert found["id"] == friends[2]["id"]
    drain(api)
    log = f"/v2/campaign/{campaign_id}/participant/{referrer}/activity-logs"
    assert len(api.ok("GET", log, params={"limit": 3})["activityLogs"]) == 3


def pages(api: Api, campaign_id: str) -> None:
    everybody = api.all_pages(campaign_id, limit=3)
    assert len(everybody) == api.read_campaign(campaign_id)["participantCount"]
    assert api.page(campaign_id, nextId="nobody")["participants"] == []
    path = f"/v2/campaign/{campaign_id}/leaderboard"
    for board in (
        "ALL_TIME",
        "CURRENT_MONTH",
        "PREV_MONTH",
        "TOTAL_IMPRESSION_COUNT",
        "UNIQUE_IMPRESSION_COUNT",
    ):
        first = api.ok("GET", path, params={"leaderboardType": board, "limit": 2})
        for next_id in (first["nextId"] or "nobody", everybody[0]["id"]):
            api.ok("GET", path, params={"leaderboardType": board, "nextId": next_id})


def rewards(stack: Stack, api: Api) -> str:
    """Rewards offered, changed, earned in all ways, approved, fulfilled, removed and listed, each
    change against another one; then the campaign ends, and its leaderboard is won.

    Gives the campaign's id.
    """
    campaign_id = api.campaign(options={"requireManualRewardApproval": True})
    path = f"/v2/campaign/{campaign_id}"
    configs = f"{path}/reward-configs"
    kinds: tuple[dict[str, Any], ...] = (
        {"type": "DOUBLE_SIDED"},
        {"type": "DOUBLE_SIDED", "referredRewardUpfront": True},
        {"type": "LEADERBOARD"},
    )
    offered = [api.ok("POST", configs, body)["id"] for body in kinds]
    renamed = partial(api.ok, "PATCH", path, {"name": "Renamed"})
    with interrupted(stack, "CreateRewardConfigFunction", 2, renamed):
        unwanted = api.ok("POST", configs, {"type": "MILESTONE"})["id"]
    api.ok("DELETE", f"{configs}/{unwanted}")
    for function_id, method, body in (
        ("UpdateRewardConfigFunction", "PATCH", {"title": "Shirt"}),
        ("DeleteRewardConfigFunction", "DELETE", None),
    ):
        spare = api.ok("POST", configs, {"type": "MILESTONE"})["id"]
        meanwhile = partial(api.ok, "PATCH", f"{configs}/{spare}", {"order": 7})
        with interrupted(stack, function_id, 2, meanwhile):
            api.ok(method, f"{configs}/{spare}", body)
    assert [each["id"] for each in api.ok("GET", configs)["rewards"]][-3:] == offered
    referrer = api.add(campaign_id)["id"]
    friend = api.add(campaign_id, referredBy=referrer)["id"]
    api.trigger(campaign_id, friend)
    api.add(campaign_id, referredBy=referrer, referralStatus="CREDIT_AWARDED")
    late = api.add(campaign_id)["id"]
    api.update(campaign_id, late, referredBy=referrer, referralStatus="CREDIT_AWARDED")
    delayed = api.add(campaign_id, referredBy=referrer)["id"]
    api.trigger(campaign_id, delayed, delayInDays=1)
    drain(api)
    advance(api, DAY_MS + HOUR_MS)
    drain(api)
    listing = f"{path}/participant/{referrer}/rewards"
    earned = [each["id"] for each in api.ok("GET", listing, params={"limit": 3})["rewards"]]
    earned += [each["id"] for each in api.ok("GET", listing, params={"limit": 100})["rewards"]][3:]
    for reward, fulfills in ((earned[0], False), (earned[1], True)):
        api.ok("POST", f"{path}/reward/{reward}/approve", {"fulfill": fulfills})
    api.ok("POST", f"{path}/reward/{earned[0]}/fulfill")
    api.ok("DELETE", f"{path}/reward/{earned[2]}")
    api.ok("POST", f"{path}/clone")
    api.ok("POST", "/v2/campaigns", {"type": "REFERRAL", "rewards": [{"type": "SINGLE_SIDED"}]})
    assert api.ok("GET", "/v2/campaigns")["campaigns"]
    for winner in (friend, referrer):
        shown = api.read(campaign_id, winner)
        assert shown["rewards"]
    api.all_pages(campaign_id, 100)
    assert api.ok("GET", f"{path}/leaderboard")["participants"][0]["rewards"]
    api.set_status(campaign_id, "COMPLETE")
    advance(api, IN_FLIGHT_MS)
    drain(api)
    assert api.read_campaign(campaign_id)["winnerCount"] == 1
    api.delete(campaign_id, friend)
    api.ok("POST", f"{path}/participants/bulk-delete", {"participants": [referrer, late]})
    erase(api)
    assert api.read_campaign(campaign_id)["winnerCount"] == 0
    return campaign_id


def webhooks(stack: Stack, api: Api) -> None:
    """Webhooks made, changed, probed, told of everything, failing, sent again and deleted."""
    campaign_id = api.campaign()
    path = f"/v2/campaign/{campaign_id}/webhooks"
    inbox = f"{campaign_id}-inbox"
    body: dict[str, Any] = {
        "payloadUrl": f"{stack.url}/_local/inbox/{inbox}",
        "events": ["NEW_PARTICIPANT_ADDED", "PARTICIPANT_REACHED_A_GOAL", "CAMPAIGN_ENDED"],
        "secret": "whsec_first",
    }
    primary = f"{path}/{api.ok('POST', path, body)['id']}"
    second = f"{path}/{api.ok('POST', path, body)['id']}"
    meanwhile = partial(api.ok, "PATCH", primary, {"events": body["events"][:1]})
    with interrupted(stack, "UpdateWebhookFunction", 2, meanwhile):
        api.ok("PATCH", primary, {"secret": "whsec_second", "events": body["events"]})
    assert api.ok("POST", f"{primary}/test", {})["success"]
    assert len(api.ok("GET", path)["webhooks"]) == 2
    api.ok("POST", f"/v2/campaign/{campaign_id}/reward-configs", {"type": "DOUBLE_SIDED"})
    # So often that some attempts are the queue's and some the sweep's.
    stack.inboxes.respond(inbox, {"status": 500, "times": 30})
    referrer = api.add(campaign_id)["id"]
    api.add(campaign_id, referredBy=referrer, referralStatus="CREDIT_AWARDED")
    drain(api)
    advance(api, HOUR_MS)
    stack.inboxes.empty(inbox)
    stack.inboxes.respond(inbox, {"status": 410, "times": 2})
    api.set_status(campaign_id, "COMPLETE")
    drain(api)
    deliveries = api.ok("GET", f"{primary}/deliveries", params={"limit": 3})
    page = {"limit": 100, "nextId": deliveries["nextId"]}
    assert api.ok("GET", f"{primary}/deliveries", params=page)["deliveries"]
    newest = deliveries["deliveries"][0]["id"]
    api.ok("POST", f"{primary}/deliveries/{newest}/resend")
    api.ok("PATCH", primary, {"isEnabled": True})
    api.ok("POST", f"{second}/recover", {"since": 0})
    api.ok("POST", f"{primary}/recover", {"since": 0})
    drain(api)
    with interrupted(
        stack, "DeleteWebhookFunction", 2, partial(api.ok, "PATCH", second, {"isEnabled": False})
    ):
        api.ok("DELETE", second)
    api.ok("DELETE", primary)


def tracking(stack: Stack, api: Api) -> None:
    """Links followed and reports made, by the first visitor of a campaign, against another one and
    over again; then a seen participant leaves."""
    campaign_id = api.campaign(installation={"shareUrl": "https://example.com/join"})
    for function_id, after_calls, call in (
        ("FollowShareLinkFunction", 3, visitors.follow),
        ("TrackImpressionFunction", 2, visitors.view),
        ("TrackShareFunction", 2, visitors.share),
    ):
        seen = api.add(campaign_id)["id"]
        with interrupted(
            stack, function_id, after_calls, partial(visitors.view, api, campaign_id, seen)
        ):
            call(api, campaign_id, seen)
        call(api, campaign_id, seen)
    visitors.preflight(api, campaign_id)
    visitors.script(api, campaign_id)
    drain(api)
    assert api.read_campaign(campaign_id)["impressionCount"] == 7
    api.delete(campaign_id, seen)
    drain(api)
    assert api.read_campaign(campaign_id)["impressionCount"] == 6


def emails(stack: Stack, api: Api) -> None:
    """E-mails configured, each change against another one, asked for, and sent by themselves: for
    single facts, for an even and an odd month, and for the end of the campaign."""
    mailing = Mailing(stack, api, *TEMPLATES)
    path = f"/v2/campaign/{mailing.id}/emails"
    meanwhile = partial(mailing.configure, goalAchieved={"subject": "Winter"})
    with interrupted(stack, "UpdateEmailsFunction", 2, meanwhile):
        mailing.configure(goalAchieved={"preheader": "Spring"})
    mailing.configure(goalAchieved=None)
    api.ok("GET", path)
    api.ok("POST", f"/v2/campaign/{mailing.id}/clone")
    reward = {"type": "DOUBLE_SIDED", "title": "T-shirt"}
    api.ok("POST", f"/v2/campaign/{mailing.id}/reward-configs", reward)
    mailing.joins("other")
    referrer = mailing.joins("referrer")
    visitors.view(api, mailing.id, referrer["id"])
    for _ in range(2):
        mailing.credited(referrer)
        leap(stack, start_of(month_at(stack.now_ms()) + 1) + HOUR_MS)
        stack.invoke("CloseMonthFunction", {})
        drain(api)
        advance(api, 2 * MINUTE_MS)
    for body in ({"emailType": "goalAchieved"}, {"subject": "Hello", "body": "<p>Hello</p>"}):
        for name in (referrer["id"], referrer["email"]):
            assert mailing.ask(name, **body).status_code == 200
    drain(api)
    stack.mail.fail(LOST_ANSWER)
    assert mailing.ask(referrer["id"], subject="Lost", body="<p>Hello</p>").status_code == 200
    drain(api)
    api.set_status(mailing.id, "COMPLETE")
    drain(api)
    advance(api, IN_FLIGHT_MS + MINUTE_MS)
    told = {mail.template for mail in mailing.mails()}
    assert told - {None} == set(TEMPLATES)


def invites(stack: Stack, api: Api) -> None:
    """People invited by the first and by a later invite of a campaign; e-mails that are sent,
    refused, lost on the way to the queue and swept up, bounced; links to unsubscribe followed."""
    office = post_office.PostOffice(stack, api)
    first, second, lost = office.addresses(3)
    bounced = "bounce@simulator.amazonses.com"
    assert office.invite(first) == 1
    stack.mail.fail("MessageRejected")
    assert office.invite(second, bounced) == 2
    drain(api)
    with stack.hold(post_office.SEND):
        office.invite(lost)
        drain(api)
        assert stack.take_records(post_office.SEND)
    advance(api, 3 * MINUTE_MS)
    assert sum(office.sent_to(second, lost, bounced, first).values()) == 3
    assert office.states() == {"SENT": 3, "FAILED": 1}
    token = post_office.token_of_participant(stack, office.campaign_id, office.inviter)
    for path in (post_office.unsubscribe_path(office.mail(lost)), f"/unsubscribe/{token}"):
        for method in ("GET", "POST"):
            assert api.call(method, path).status_code == 200
    assert api.read(office.campaign_id, office.inviter)["unsubscribed"]
    assert api.read_campaign(office.campaign_id)["inviteCount"] == 4
    api.delete(office.campaign_id, office.inviter)
    drain(api)
    assert api.read_campaign(office.campaign_id)["inviteCount"] == 0


def months(stack: Stack, api: Api) -> None:
    """Months end: an even and an odd one in time, one whose message was lost, one that is closed so
    late that its counts are overwritten, and the last one of a campaign."""
    campaign_id = api.campaign(installation={"referralTrigger": "ON_SIGNUP"})
    offered = {"type": "LEADERBOARD", "limitDuration": "PER_MONTH"}
    api.ok("POST", f"/v2/campaign/{campaign_id}/reward-configs", offered)
    referrer = api.add(campaign_id)["id"]
    first = month_at(stack.now_ms())
    for month in (first, first + 1):
        friends_of(stack, campaign_id, referrer, 1)
        leap(stack, start_of(month + 1) + HOUR_MS)
        with stack.hold("SettleMonthFunction"):
            stack.invoke("CloseMonthFunction", {})
            drain(api)
            assert stack.take_records("SettleMonthFunction")
        leap(stack, stack.now_ms() + SETTLED_BY_MS)
        assert stack.invoke("CloseMonthFunction", {})["repeated"]
        drain(api)
    friends_of(stack, campaign_id, referrer, 1)
    leap(stack, start_of(first + 4) + HOUR_MS)
    friends_of(stack, campaign_id, referrer, 1)
    api.set_status(campaign_id, "COMPLETE")
    leap(stack, start_of(first + 5) + HOUR_MS)
    stack.invoke("CloseMonthFunction", {})
    drain(api)
    for month in (first, first + 1, first + 2, first + 4):
        path = f"/v2/campaign/{campaign_id}/leaderboard/{name_of(month)}"
        (best,) = api.ok("GET", path)["participants"]
        assert (best["id"], best["finalReferralCount"]) == (referrer, 1)
    assert len(api.read(campaign_id, referrer)["rewards"]) == 4


def plays(stack: Stack) -> None:
    """Mechanics saved and changed, events recorded: the first of a player, one that wins, one that
    was recorded before."""
    by_week = {"leaderboard": {"periods": ["week"]}}
    game = Game.started(stack, mechanics(**by_week))
    more = mechanics(**by_week)
    more["instantWin"]["tiers"][0]["inventory"] += 1
    assert game.save(more, seen=1).json()["data"]["configVersion"] == 2
    assert game.call("GET", "mechanics").status_code == 200
    game.event("user_1", "signup")
    asked = {"userId": "user_1", "eventType": "purchase"}
    assert game.call("POST", "events/preview", asked).status_code == 200
    gold = next(game.keys_that_draw(GOLD))
    for _ in range(2):
        assert game.event("user_1", "purchase", {"amount": 20}, key=gold)["instantWin"]["won"]
    assert_players_can_be_read(stack, game)
    now = stack.now_ms()
    hidden = Game.started(stack, by_moments(now, now + 30 * DAY_MS, gold=2))
    more = by_moments(now, now + 30 * DAY_MS, gold=3)
    assert hidden.save(more, seen=1).status_code == 200
    leap(stack, now + 30 * DAY_MS - MINUTE_MS)
    assert hidden.event("user_1", "purchase")["instantWin"]["won"]


def assert_players_can_be_read(stack: Stack, game: Game) -> None:
    """Everything that is shown of players and prizes, of one who has won."""
    stack.drain()
    player = "participants/user_1"
    for path in (f"{player}?expand=progress", f"{player}/milestones", "prizes", "stats"):
        assert game.call("GET", path).status_code == 200
    assert len(game.call("GET", f"{player}/wins").json()["data"]["wins"]) == 1
    assert len(game.call("GET", "wins").json()["data"]["wins"]) == 1
    for query in ("", "&period=week"):
        shown = game.call("GET", f"leaderboard?userId=user_1{query}").json()["data"]
        assert shown["participant"]["rank"] == shown["totalParticipants"] == 1
    assert rank_beside_another(stack, game, "user_1", "user_0") == 2
    event_id = game.call("GET", f"{player}/ledger").json()["data"]["entries"][0]["eventId"]
    assert game.call("GET", f"events/{event_id}?userId=user_1").status_code == 200


def rank_beside_another(stack: Stack, game: Game, user_id: str, other: str) -> int:
    """With another one who reached the same total in the same millisecond."""
    with runtime.using(stack.runtime()):
        player = game.player(user_id)
        assert player
        store.put(replace(player, user_id=other).to_item(), ABSENT)
    stack.drain()
    rank: int = game.call("GET", f"participants/{user_id}").json()["data"]["rank"]
    return rank


def reports(stack: Stack, api: Api) -> None:
    """Events that name no campaign, by each way and twice; a player who is a referred friend, earns
    the referrer a credit and is nobody's in the end."""
    for number, route in enumerate(reporting.ROUTES):
        for _ in range(2):
            reporting.report(stack, {"signup": {}}, key=f"report-{number}", route=route)
    game = Game.started(stack, reporting.referring(sources=["referd", "internal"]))
    referrer = api.add(game.campaign_id)["id"]
    friend = api.add(game.campaign_id, referredBy=referrer)["id"]
    api.ok(
        "PATCH",
        f"/v2/campaign/{game.campaign_id}/options",
        {"fraud": {"blockHighRiskReferrers": True}},
    )
    for user_id, participant in (("ada", referrer), ("bob", friend)):
        for _ in range(2):
            reporting.link(game, user_id, participant)
    stack.advance(CAMPAIGN_CACHE_MS)
    reporting.report(stack, {"purchase": {"amount": 20}}, player="bob")
    now = stack.now_ms()
    mechanics_by_moments = {**by_moments(now, now + 30 * DAY_MS, gold=2), "sources": ["referd"]}
    hidden = Game.started(stack, mechanics_by_moments)
    leap(stack, now + 30 * DAY_MS - MINUTE_MS)
    reporting.report(stack, {"purchase": {}}, player="cora", secret=str(stack.api_key))
    drain(api)
    assert [line.points for line in game.ledger("ada")] == [30]
    assert [line.reason for line in hidden.ledger("cora")] == ["instant_win"]
    assert reporting.unlink(game, "bob").status_code == 200
    api.delete(game.campaign_id, referrer)
    erase(api)
    assert game.player("ada").participant_id is None  # type: ignore[union-attr]


def forgetful_one_reaches_a_milestone(stack: Stack) -> None:
    """By a code, as a player who may have forgotten some."""
    once = {"id": "once", "name": "Once", "metric": {"type": "points_total"}, "threshold": 1}
    game = Game.started(stack, mechanics(milestones=None))
    game.event("forgetful", "nothing")
    assert game.save(mechanics(milestones=[once]), seen=1).status_code == 200
    [code] = coding.new_codes(game)
    with patch.object(counters, "MOST_RETIRED", 0):
        redeemed = coding.redeem(game, "forgetful", code)
    assert [each["id"] for each in redeemed.json()["data"]["milestones"]] == ["once"]


def codes(stack: Stack) -> None:
    """Codes made, shown again and guessed; redeemed by somebody new and by one who has won; and all
    of it taken back, also from the board of the week."""
    game = Game.started(stack, mechanics(leaderboard={"periods": ["week"]}))
    for _ in range(2):
        made = coding.new_codes(game, 2, key="cards")
    won = game.event("u", "purchase", {"amount": 20}, key=next(game.keys_that_draw(GOLD)))
    win_code = won["instantWin"]["winCode"]
    for code in (*made, win_code):
        assert coding.verify(game, code).json()["data"]["valid"]
    for _ in range(2):
        assert not coding.verify(game, "SUMM-22222222").json()["data"]["valid"]
        assert coding.redeem(game, "u", "SUMM-22222222").status_code == 404
    forgetful_one_reaches_a_milestone(stack)
    for user_id, code in (("new", made[0]), ("u", made[1]), ("u", win_code)):
        assert coding.redeem(game, user_id, code, key=code).status_code == 200
    query = {"slug": game.slug}
    for path in ("batches", "stats"):
        assert game.http.get(f"/v1/campaigns/codes/{path}", params=query).status_code == 200
    for event in coding.events_of(game, "u"):
        assert coding.reverse(game, "u", event.event_id).status_code == 200
