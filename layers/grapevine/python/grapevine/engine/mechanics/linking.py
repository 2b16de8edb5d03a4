"""Linking a player to a participant of the same campaign: one of the one to one of the other.

The player names the participant and the link, in the participant's partition, the player. Both are
written in one transaction, so a process that dies leaves both or none.
"""

from __future__ import annotations

from dataclasses import replace

from grapevine import runtime
from grapevine.engine.attempts import attempts
from grapevine.engine.participants.lookup import Located, load
from grapevine.errors import AlreadyLinked
from grapevine.table import event_keys, keys, player_keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.player_counts import one_more_player
from grapevine.table.player_links import PlayerLink
from grapevine.table.players import Player, new_player
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT, PRESENT, Check, Delete, Put, Write, version


def link(campaign: Campaign, user_id: str, located: Located) -> PlayerLink:
    """The link, as it was made first. A user who has had no event yet becomes a player by it.

    Raises:
        UnknownParticipant
        AlreadyLinked: the player is another participant, or the participant another player.
        Busy: nothing was written.
    """
    participant_id = located.load().participant_id
    campaign_id = campaign.campaign_id
    player_key = player_keys.player(campaign_id, user_id)
    link_key = event_keys.player_link(campaign_id, participant_id)
    for attempt in attempts():
        if attempt:
            load(campaign_id, participant_id)
        found = store.get_many([player_key, link_key])
        player = Player.from_item(found[player_key]) if player_key in found else None
        there = PlayerLink.from_item(found[link_key]) if link_key in found else None
        if there is not None and there.user_id == user_id:
            return there
        if there is not None or (player and player.participant_id):
            raise AlreadyLinked
        made = PlayerLink(
            campaign_id=campaign_id,
            participant_id=participant_id,
            user_id=user_id,
            linked_at=runtime.now_ms(),
        )
        try:
            store.transact(_linking(player, made))
        except TransactionCanceled:
            continue
        return made
    raise AssertionError("attempts() ends by raising Busy")


def _linking(player: Player | None, made: PlayerLink) -> list[Write]:
    before = player or new_player(made.campaign_id, made.user_id, made.linked_at)
    after = replace(before, version=before.version + 1, participant_id=made.participant_id)
    writes: list[Write] = [
        Put(after.to_item(), version(player.version) if player else ABSENT),
        Put(made.to_item(), ABSENT),
        # A participant who is being deleted gets no link that nobody would free again.
        Check(keys.profile(made.campaign_id, made.participant_id), PRESENT),
    ]
    if player is None:
        writes.append(one_more_player(made.campaign_id, made.user_id))
    return writes


def unlink(campaign: Campaign, user_id: str) -> None:
    """The player is nobody's afterwards. One that was linked to nobody, or is not there, stays so.

    Raises:
        Busy: nothing was written.
    """
    for _ in attempts():
        item = store.get(player_keys.player(campaign.campaign_id, user_id))
        player = Player.from_item(item) if item else None
        if player is None or player.participant_id is None or _unlinked(player):
            return
    raise AssertionError("attempts() ends by raising Busy")


def free(campaign_id: str, participant_id: str) -> None:
    """The player of a participant who has been deleted is nobody's afterwards.

    Safe to repeat.

    Raises:
        Busy: nothing was written.
    """
    user_id = user_of(campaign_id, participant_id)
    for _ in attempts():
        item = store.get(player_keys.player(campaign_id, user_id)) if user_id else None
        player = Player.from_item(item) if item else None
        if player is None or player.participant_id != participant_id or _unlinked(player):
            return
    raise AssertionError("attempts() ends by raising Busy")


def user_of(campaign_id: str, participant_id: str) -> str | None:
    """The user id of the player whom the participant is linked to."""
    item = store.get(event_keys.player_link(campaign_id, participant_id))
    return PlayerLink.from_item(item).user_id if item else None


def _unlinked(player: Player) -> bool:
    if player.participant_id is None:
        return True
    after = replace(player, version=player.version + 1, participant_id=None)
    link_key = event_keys.player_link(player.campaign_id, player.participant_id)
    try:
        store.transact(
            [Put(after.to_item(), version(player.version)), Delete(link_key, PRESENT)],
        )
    except TransactionCanceled:
        return False
    return True
