"""Addresses as mail servers take them."""

from __future__ import annotations


def deliverable(email: str) -> str | None:
    """The address in plain ASCII, an international domain in its encoded form; None when there is
    none: SES takes no other characters before the `@`."""
    # Loaded on first use: most functions never look at an address.
    from email_validator import EmailNotValidError, validate_email

    try:
        found = validate_email(email.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    address = found.ascii_email
    return address if address and address.isprintable() else None
