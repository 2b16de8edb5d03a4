from __future__ import annotations

from typing import Any

import pytest

from tests.api import Api
from tests.refusals import refused_fields

OPTIONS: dict[str, Any] = {
    "requireManualRewardApproval": False,
    "autoFulfillRewards": False,
    "enforceGdprCompliance": False,
    "attributionModel": "LAST_CLICK",
    "referralCookieWindowDays": 365,
    "referralCreditWindowDays": None,
    "autoBlockFraud": False,
    "requireManualFraudApproval": False,
    "fraud": {
        "blockedEmails": [],
        "allowedEmails": [],
        "blockedIps": [],
        "allowedIps": [],
        "blockBurnerEmails": False,
        "blockHighRiskReferrers": False,
        "maxSignupsPerIp2Min": None,
        "maxSignupsPerIp10Min": None,
    },
}
INSTALLATION: dict[str, Any] = {"referralTrigger": "CUSTOM", "shareUrl": None, "allowedUrls": []}


@pytest.fixture
def campaign_id(api: Api) -> str:
    return api.campaign(live=False)


@pytest.mark.parametrize(
    ("part", "defaults"), [("options", OPTIONS), ("installation", INSTALLATION)]
)
def test_a_new_campaign_has_the_defaults(
    api: Api, campaign_id: str, part: str, defaults: dict[str, Any]
) -> None:
    assert api.ok("GET", f"/v2/campaign/{campaign_id}/{part}") == defaults


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("options", {"requireManualRewardApproval": True}),
        ("options", {"autoFulfillRewards": True}),
        ("options", {"enforceGdprCompliance": True}),
        ("options", {"attributionModel": "FIRST_CLICK"}),
        ("options", {"referralCookieWindowDays": 400}),
        *[
            ("options", {"referralCreditWindowDays": days})
            for days in (1, 3, 7, 14, 30, 60, 90, 180, 365)
        ],
        ("installation", {"referralTrigger": "ON_SIGNUP"}),
        ("installation", {"shareUrl": "https://example.com/join?x=1#top"}),
        ("installation", {"shareUrl": "http://localhost:8080"}),
        ("installation", {"allowedUrls": ["https://a.example", "https://b.example"]}),
    ],
)
def test_one_switch_changes_and_the_others_stay(
    api: Api, campaign_id: str, part: str, change: dict[str, Any]
) -> None:
    path = f"/v2/campaign/{campaign_id}/{part}"
    before = api.ok("GET", path)

    changed = api.ok("PATCH", path, change)

    assert changed == {**before, **change}
    assert api.ok("GET", path) == changed


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("options", {"requireManualRewardApproval": "maybe"}),
        ("options", {"attributionModel": "NO_CLICK"}),
        ("options", {"referralCookieWindowDays": 2}),
        ("options", {"referralCreditWindowDays": 400}),
        ("options", {"referralCreditWindowDays": 0}),
        ("options", {"referralCreditWindowDays": "soon"}),
        ("options", {"referralCreditWindowDays": True}),
        ("options", {"requireParticipantAuth": True}),
        ("options", {"autoBlockFraud": "perhaps"}),
        ("options", {"unheardOf": 1}),
        ("installation", {"referralTrigger": "NEVER"}),
        ("installation", {"referralTrigger": None}),
        ("installation", {"shareUrl": ""}),
        ("installation", {"shareUrl": "example.com"}),
        ("installation", {"shareUrl": "javascript:alert(1)"}),
        ("installation", {"shareUrl": "https://"}),
        ("installation", {"shareUrl": "https://exa mple.com"}),
        ("installation", {"shareUrl": "https://example.com/\n"}),
        ("installation", {"shareUrl": "https://[::1"}),
        ("installation", {"shareUrl": "https://example.com/" + "x" * 2048}),
        ("installation", {"signupEvent": "PROGRAMMATIC"}),
        ("installation", {"unheardOf": 1}),
    ],
)
def test_what_the_engine_does_not_honour_is_refused(
    api: Api, campaign_id: str, part: str, change: dict[str, Any]
) -> None:
    path = f"/v2/campaign/{campaign_id}/{part}"
    before = api.ok("GET", path)

    response = api.call("PATCH", path, change)

    assert refused_fields(response) == list(change)
    assert api.ok("GET", path) == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("blockedCountries", ["DE"]),
        ("allowedCountries", ["DE"]),
        ("blockDataCenterIps", True),
        ("autoBlockHighRiskIps", True),
        ("recaptcha", {"isEnabled": True}),
        ("blockedIps", ["300.0.0.1"]),
        ("allowedIps", ["*"]),
        ("blockedEmails", ["*"]),
        ("allowedEmails", [f"{'x' * 90}@example.com"]),
        ("blockedEmails", [f"{number}@example.com" for number in range(10_001)]),
        ("maxSignupsPerIp2Min", 0),
        ("maxSignupsPerIp10Min", 101),
        ("blockBurnerEmails", "perhaps"),
        ("blockHighRiskReferrers", None),
    ],
)
def test_an_anti_fraud_option_that_cannot_be_honoured_is_refused(
    api: Api, campaign_id: str, field: str, value: object
) -> None:
    path = f"/v2/campaign/{campaign_id}/options"

    response = api.call("PATCH", path, {"fraud": {field: value}})

    assert all(one.startswith(f"fraud.{field}") for one in refused_fields(response))
    assert api.ok("GET", path) == OPTIONS


def test_anti_fraud_options_change_one_by_one_and_lists_as_a_whole(
    api: Api, campaign_id: str
) -> None:
    path = f"/v2/campaign/{campaign_id}/options"
    entries = [f"{number}@example.com" for number in range(10_000)]
    first = {"blockedEmails": entries, "maxSignupsPerIp2Min": 5, "allowedIps": ["203.0.113.0/24"]}
    api.ok("PATCH", path, {"fraud": first})

    api.ok("PATCH", path, {"fraud": {"blockBurnerEmails": True, "blockedEmails": ["@EXAMPLE.com"]}})
    api.ok("PATCH", path, {"fraud": {"allowedIps": []}})

    expected = {
        **OPTIONS["fraud"],
        "blockedEmails": ["*@example.com"],
        "maxSignupsPerIp2Min": 5,
        "blockBurnerEmails": True,
    }
    assert api.ok("GET", path)["fraud"] == expected
    clone = api.ok("POST", f"/v2/campaign/{campaign_id}/clone")["id"]
    assert api.ok("GET", f"/v2/campaign/{clone}/options")["fraud"] == expected


def test_strict_and_manual_anti_fraud_exclude_each_other(api: Api, campaign_id: str) -> None:
    path = f"/v2/campaign/{campaign_id}/options"
    api.ok("PATCH", path, {"autoBlockFraud": True})

    response = api.call("PATCH", path, {"requireManualFraudApproval": True})

    assert refused_fields(response) == ["autoBlockFraud"]
    assert not api.ok("GET", path)["requireManualFraudApproval"]


@pytest.mark.parametrize("entry", ["example.com", 5, None, "ftp://example.com"])
def test_a_wrong_allowed_url_is_refused_by_its_place(
    api: Api, campaign_id: str, entry: object
) -> None:
    response = api.call(
        "PATCH",
        f"/v2/campaign/{campaign_id}/installation",
        {"allowedUrls": ["https://a.example", entry]},
    )

    assert refused_fields(response) == ["allowedUrls.1"]


def test_a_list_replaces_the_list(api: Api, campaign_id: str) -> None:
    path = f"/v2/campaign/{campaign_id}/installation"
    api.ok("PATCH", path, {"allowedUrls": ["https://a.example", "https://b.example"]})

    changed = api.ok("PATCH", path, {"allowedUrls": ["https://c.example"]})

    assert changed["allowedUrls"] == ["https://c.example"]
    assert api.ok("PATCH", path, {"allowedUrls": []})["allowedUrls"] == []


def test_null_takes_the_credit_window_and_the_share_url_away(api: Api, campaign_id: str) -> None:
    path = f"/v2/campaign/{campaign_id}"
    api.ok("PATCH", f"{path}/options", {"referralCreditWindowDays": 30})
    api.ok("PATCH", f"{path}/installation", {"shareUrl": "https://example.com"})

    options = api.ok("PATCH", f"{path}/options", {"referralCreditWindowDays": None})
    installation = api.ok("PATCH", f"{path}/installation", {"shareUrl": None})

    assert options["referralCreditWindowDays"] is None
    assert installation["shareUrl"] is None


def test_manual_approval_and_automatic_fulfilment_exclude_each_other(
    api: Api, campaign_id: str
) -> None:
    path = f"/v2/campaign/{campaign_id}/options"
    api.ok("PATCH", path, {"requireManualRewardApproval": True})

    one_after_the_other = api.call("PATCH", path, {"autoFulfillRewards": True})
    both_at_once = api.call(
        "PATCH", path, {"requireManualRewardApproval": True, "autoFulfillRewards": True}
    )
    the_other_instead = api.ok(
        "PATCH", path, {"requireManualRewardApproval": False, "autoFulfillRewards": True}
    )

    assert one_after_the_other.status_code == 400
    assert both_at_once.status_code == 400
    assert the_other_instead["autoFulfillRewards"] is True


@pytest.mark.parametrize("part", ["options", "installation"])
def test_an_empty_change_writes_nothing(api: Api, campaign_id: str, part: str) -> None:
    path = f"/v2/campaign/{campaign_id}/{part}"
    before = api.ok("GET", path)

    response = api.call("PATCH", path, {})

    assert response.json() == before
    assert response.headers["x-local-write-units"] == "0"
