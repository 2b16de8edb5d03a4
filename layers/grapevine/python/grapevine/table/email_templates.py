"""What a campaign has written itself of a program e-mail's template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from grapevine.table import email_keys, keys, store
from grapevine.table.entity import Entity
from grapevine.table.keys import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailTemplate(Entity):
    """A field that is None is the default one. There is no item where all of them are."""

    TYPE: ClassVar[str] = "EmailTemplate"

    campaign_id: str
    template: str
    version: int = 0
    subject: str | None = None
    preheader: str | None = None
    body: str | None = None
    text: str | None = None

    @property
    def key(self) -> Key:
        return email_keys.email_template(self.campaign_id, self.template)

    @property
    def is_default(self) -> bool:
        return all(one is None for one in (self.subject, self.preheader, self.body, self.text))


def templates_of(campaign_id: str) -> list[EmailTemplate]:
    """Those that a campaign has written itself."""
    partition = keys.campaign(campaign_id).partition
    items = store.query(None, partition, prefix=email_keys.TEMPLATE_PREFIX)
    return [EmailTemplate.from_item(item) for item in items]
