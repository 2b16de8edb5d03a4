"""Who is calling, what they may do, and the first read of every request.

The key, the campaign and what can already be known of the participant are read in one call. A key
that was read is remembered in the container for `KEY_CACHE_MS`, so a revocation takes that long
to reach every container; its scopes and its end are checked on every request. A campaign that is
called by its slug may be remembered, too, for `CAMPAIGN_CACHE_MS`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from grapevine import ids, runtime
from grapevine.engine import slugs
from grapevine.engine.participants.lookup import Located, Reference
from grapevine.errors import KeyMissing, KeyRevoked, KeyUnknown, NotAuthorized, NotFound
from grapevine.table import keys, store
from grapevine.table.accounts import ApiKey
from grapevine.table.attributes import Item
from grapevine.table.campaigns import Campaign
from grapevine.table.keys import Key
from grapevine.table.ledger import Trust

KEY_CACHE_MS = 30_000
CAMPAIGN_CACHE_MS = 10_000


@dataclass(frozen=True, slots=True)
class Caller:
    """`trust` is `client` where nothing but a public key vouches for what is said."""

    account_id: str
    key_id: str
    scopes: frozenset[str]
    trust: Trust = "server"

    def require(self, scope: str) -> None:
        """Raises NotAuthorized when the caller's key lacks the scope."""
        if scope not in self.scopes:
            raise NotAuthorized(f"The API key lacks the scope {scope}.")


@dataclass(frozen=True, slots=True)
class Access:
    """`campaign` and `located` are there when the route names a campaign and a participant."""

    caller: Caller
    campaign: Campaign | None
    located: Located | None


def authorize(
    secret: str | None, scope: str, campaign_id: str | None = None, participant: str | None = None
) -> Access:
    """Lets a request through, with what its first read found.

    `participant` is an id or an e-mail address. The account that owns the campaign must be the
    key's: a foreign campaign is refused like a wrong key, before anything in it is looked at.

    Raises:
        NotAuthorized: no key, a wrong, ended or public one, a missing scope, or a foreign campaign.
        NotFound: there is no such campaign.
    """
    if not secret:
        raise KeyMissing
    reference = Reference(campaign_id, participant) if campaign_id and participant else None
    key_hash = ids.hash_of_key(secret)
    key_item = keys.api_key(key_hash)
    wanted = _first_keys(campaign_id, reference)
    remembered = _remembered(key_hash)
    found = store.get_many(wanted if remembered else [key_item, *wanted])
    if remembered is None and key_item in found:
        remembered = _remember(ApiKey.from_item(found[key_item]))
    caller = _caller(_secret(remembered), scope)
    if campaign_id is None:
        return Access(caller, None, None)
    campaign = _own_campaign(caller, campaign_id, found)
    return Access(caller, campaign, Located(reference, found) if reference else None)


def campaign_called(caller: Caller, slug: str, *, may_be_remembered: bool = False) -> Campaign:
    """The campaign that the caller's account calls so, whatever its status.

    One that `may_be_remembered` may be as it was up to `CAMPAIGN_CACHE_MS` ago, and costs no read
    for so long: for events, of which there are many. One that is not there is never remembered.

    Raises:
        NotFound: the account calls none of its campaigns so, whatever others do.
    """
    place = f"slug:{caller.account_id}:{slug}"
    now = runtime.now_ms()
    kept: tuple[int, Campaign] | None = runtime.current().cache.get(place)
    if may_be_remembered and kept is not None and now - kept[0] < CAMPAIGN_CACHE_MS:
        return kept[1]
    campaign_id = slugs.campaign_id_of(caller.account_id, slug)
    item = store.get(keys.campaign(campaign_id)) if campaign_id else None
    campaign = Campaign.from_item(item) if item else None
    if campaign is None or campaign.status == "DELETED" or campaign.slug != slug:
        runtime.current().cache.pop(place, None)
        raise NotFound("Campaign not found")
    runtime.current().cache[place] = (now, campaign)
    return campaign


def authorize_report(api_key: str | None, secret: str | None, scope: str) -> Access:
    """Lets a report through whose `api_key` may be a public one; a `secret` key of the same account
    beside it vouches for it.

    Raises:
        NotAuthorized: no key, a wrong or ended one, a missing scope; a secret key that is wrong in
            any of these ways, or public, or another account's: what is sent to be trusted and
            cannot be is refused, so that nobody finds out late.
    """
    if not api_key:
        raise KeyMissing
    known = _keys_of([api_key, secret] if secret else [api_key])
    caller = _caller(known.get(api_key), scope)
    if secret and _caller(_secret(known.get(secret)), scope).account_id != caller.account_id:
        raise KeyUnknown
    return Access(replace(caller, trust="server") if secret else caller, None, None)


def _keys_of(secrets: list[str]) -> dict[str, ApiKey]:
    hashes = {secret: ids.hash_of_key(secret) for secret in secrets}
    known = {secret: _remembered(key_hash) for secret, key_hash in hashes.items()}
    unknown = {keys.api_key(hashes[secret]): secret for secret, key in known.items() if not key}
    for key, item in store.get_many(unknown).items():
        known[unknown[key]] = _remember(ApiKey.from_item(item))
    return {secret: key for secret, key in known.items() if key}


def _secret(key: ApiKey | None) -> ApiKey | None:
    """Raises NotAuthorized for a public key."""
    if key is not None and key.is_public:
        raise NotAuthorized("A public API key can only report events.")
    return key


def _caller(key: ApiKey | None, scope: str) -> Caller:
    if key is None:
        raise KeyUnknown
    if not key.is_valid_at(runtime.now_ms()):
        raise KeyRevoked
    trust: Trust = "client" if key.is_public else "server"
    caller = Caller(key.account_id, key.key_id, frozenset(key.scopes), trust)
    caller.require(scope)
    return caller


def _first_keys(campaign_id: str | None, reference: Reference | None) -> list[Key]:
    if campaign_id is None or not keys.is_id(campaign_id):
        return []
    return [keys.campaign(campaign_id), *(reference.first_keys() if reference else [])]


def _own_campaign(caller: Caller, campaign_id: str, found: dict[Key, Item]) -> Campaign:
    item = found.get(keys.campaign(campaign_id)) if keys.is_id(campaign_id) else None
    campaign = Campaign.from_item(item) if item else None
    if campaign is None or campaign.status == "DELETED":
        raise NotFound("There is no campaign with this id.")
    if campaign.account_id != caller.account_id:
        raise NotAuthorized
    return campaign


def _remembered(key_hash: str) -> ApiKey | None:
    kept: tuple[int, ApiKey] | None = runtime.current().cache.get(f"key:{key_hash}")
    if kept is None or runtime.now_ms() - kept[0] >= KEY_CACHE_MS:
        return None
    return kept[1]


def _remember(key: ApiKey) -> ApiKey:
    runtime.current().cache[f"key:{key.key_hash}"] = (runtime.now_ms(), key)
    return key
