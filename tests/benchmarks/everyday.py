"""What the everyday requests cost, each with what is written for it afterwards."""

from __future__ import annotations

from collections.abc import Callable

from tests.api import Json, unique_email
from tests.benchmarks.campaigns import Campaign
from tests.benchmarks.figures import print_table


def make_requests(campaign: Campaign) -> None:
    """Every request changes the campaign: come here last."""
    api, here = campaign.api, campaign.id
    referrer = campaign.people.id_of(campaign.size // 2)
    email = unique_email()
    details: Json = {"firstName": "Grace", "referredBy": referrer, "metadata": {"plan": "free"}}
    bare = api.add(here)
    referrals = f"/v2/campaign/{here}/referrals"
    friend = api.add(here, email, **details)["id"]
    log = f"/v2/campaign/{here}/participant/{friend}/activity-logs"
    campaign.stack.drain()
    requests: dict[str, Callable[[], Json]] = {
        "add, bare e-mail": lambda: api.add(here),
        "add, with first name, referrer and one metadata value": lambda: api.add(here, **details),
        "add, already there": lambda: api.add(here, email),
        "trigger a credit": lambda: api.trigger(here, friend),
        "trigger it again": lambda: api.trigger(here, friend),
        "participant by id, with a referrer": lambda: api.read(here, friend),
        "the same by e-mail": lambda: api.read(here, email),
        "a page of 100 participants": lambda: api.page(here, limit=100),
        "campaign with its totals": lambda: api.read_campaign(here),
        "update a name": lambda: api.update(here, bare["id"], firstName="Barbara"),
        "update the name of somebody who was referred": lambda: api.update(
            here, friend, firstName="Ada"
        ),
        "a page of the campaign's referrals": lambda: api.ok("GET", referrals),
        "a page of a participant's activity log": lambda: api.ok("GET", log),
        "delete a referred, credited participant": lambda: api.delete(here, friend),
    }
    rows = []
    for name, request in requests.items():
        with campaign.engine.log.recorded() as record:
            request()
        with campaign.engine.log.recorded() as later:
            campaign.stack.drain()
        rows.append(
            [name, len(record.calls), record.read_units, record.write_units, later.write_units]
        )
    columns = ("request", "calls", "read units", "write units", "written later")
    print_table("Requests", columns, rows)
