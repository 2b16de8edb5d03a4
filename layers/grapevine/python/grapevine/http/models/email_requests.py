"""What a client asks to be written to one participant."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from grapevine.engine.mail.asking import Request
from grapevine.engine.mail.templates.sandbox import check
from grapevine.engine.mail.templates.template import MOST_CHARACTERS, TemplateKey
from grapevine.http.models.emails import Preheader, Subject, template
from grapevine.http.models.fields import Input, Output

_Body = Annotated[str, Field(max_length=MOST_CHARACTERS["body"]), AfterValidator(template(check))]


class EmailParticipant(Input):
    """Either `emailType`, or `subject` and `body` (HTML) and perhaps `preheader`. Dynamic text
    works as in templates. A body without `{{emailFooter}}` gets it at its end."""

    email_type: TemplateKey | None = None
    subject: Subject | None = None
    body: _Body | None = None
    preheader: Preheader | None = None

    @model_validator(mode="after")
    def _is_one_of_the_two(self) -> Self:
        written = (self.subject, self.body, self.preheader)
        if self.email_type is not None and any(one is not None for one in written):
            raise PydanticCustomError(
                "conflict", "Send either emailType, or subject and body, not both."
            )
        if self.email_type is None and (self.subject is None or not (self.body or "").strip()):
            raise PydanticCustomError("missing", "Send emailType, or subject and body.")
        return self

    def to_engine(self) -> Request:
        return Request(self.email_type, self.subject, self.body, self.preheader)


class EmailResult(Output):
    """The e-mail has been accepted; it goes out within moments."""

    success: Literal[True] = True
    status: Literal["queued"] = "queued"
