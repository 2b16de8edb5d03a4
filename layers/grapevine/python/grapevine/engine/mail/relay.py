"""From facts to e-mails: one mail for each personal fact, one run for each shared one, each once.

What a campaign that sends no e-mail pays for this is the read of itself, once for a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from grapevine.engine.mail import post, runs
from grapevine.engine.mail.facts import MailFact, PersonalFact, SharedFact
from grapevine.engine.mail.settings import EmailSettings, settings_of
from grapevine.table import keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.mail import Mail


def relay(campaign_id: str, facts: Sequence[MailFact]) -> None:
    """Asks for the e-mails that these facts, all of one campaign, bring about. Safe to repeat.

    Which ones are sent is decided by the campaign as it is now: nothing while it is not in
    progress, but for what tells of its end, and nothing by a template that is off.

    Raises:
        RuntimeError: the queue did not take all; those fall due by themselves.
        TransactionCanceled: nothing was lost; the records come again.
    """
    if not facts:
        return
    item = store.get(keys.campaign(campaign_id))
    campaign = Campaign.from_item(item) if item else None
    if campaign is None or not campaign.sends_mail:
        return
    for fact in facts:
        if isinstance(fact, SharedFact):
            runs.begin(campaign, fact)
    if campaign.is_in_progress:
        settings = settings_of(campaign)
        mails = [_mail(fact, settings) for fact in facts if isinstance(fact, PersonalFact)]
        post.queue([mail for mail in mails if mail is not None])


def _mail(fact: PersonalFact, settings: EmailSettings) -> Mail | None:
    for template in fact.templates:
        if settings.sends_itself(template):
            mail = post.new_mail(
                "program",
                fact.campaign_id,
                fact.participant_id,
                fact=fact.fact,
                data=fact.data,
            )
            # The id says nothing of the template: a setting that changes between two deliveries
            # of the same record must not make a second e-mail.
            return replace(mail, template=template)
    return None
