"""The `grapevine` command: the stack on this machine; accounts, keys and projections of any."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from grapevine import runtime
from grapevine.engine import accounts
from grapevine.errors import GrapevineError
from local import rebuilding, target
from local.refusals import Refused

TEMPLATE = Path("template.yaml")

_HOUR_MS = 3_600_000


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the status that the process ends with."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except (GrapevineError, Refused, BotoCoreError, ClientError) as error:
        print(f"grapevine: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="grapevine", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    _add_run(commands)
    _add_invoke(commands)
    _add_account(commands)
    _add_key(commands)
    _add_rebuild(commands)
    return parser


def _add_run(commands: Any) -> None:
    parser = commands.add_parser("run", help="the whole stack on this machine")
    parser.add_argument("--port", type=int, default=3000, help="3000 by default; 0: any free one")
    _add_engine(parser)
    parser.add_argument(
        "--seed", choices=("demo", "none"), default="demo", help="what there is at the beginning"
    )
    parser.add_argument("--api-key", metavar="KEY", help="the full-access key of the account")
    parser.set_defaults(command=_run)


def _add_invoke(commands: Any) -> None:
    parser = commands.add_parser("invoke", help="one function with one event, on sample data")
    parser.add_argument("function", help="its name in the template, such as GetCampaignFunction")
    parser.add_argument("event", type=Path, help="a JSON file, such as events/get_campaign.json")
    _add_engine(parser)
    parser.set_defaults(command=_invoke)


def _add_engine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--engine", default="moto", help="moto (in this process) or a DynamoDB endpoint's URL"
    )
    parser.add_argument("--template", type=Path, default=TEMPLATE, help=argparse.SUPPRESS)


def _add_account(commands: Any) -> None:
    parser = commands.add_parser("account", help="accounts: create, and whom they may send as")
    verbs = parser.add_subparsers(required=True, metavar="what")
    create = verbs.add_parser("create", help="a new account, without keys and senders")
    create.add_argument("--name", required=True)
    create.add_argument(
        "--environment", choices=("live", "test"), default="live", help="live by default"
    )
    create.set_defaults(command=_create_account)
    listing = verbs.add_parser("senders", help="what its e-mails may come from")
    listing.set_defaults(command=_list_senders)
    allow = verbs.add_parser("allow-sender", help="let its e-mails come from there")
    allow.set_defaults(command=_allow_sender)
    disallow = verbs.add_parser("disallow-sender", help="not any more")
    disallow.set_defaults(command=_disallow_sender)
    for verb in (allow, disallow):
        verb.add_argument("identity", help="an address, or a domain with all below it")
    for verb in (listing, allow, disallow):
        verb.add_argument("--account", required=True, metavar="ID")
    for verb in (create, listing, allow, disallow):
        target.add_arguments(verb)


def _add_key(commands: Any) -> None:
    verbs = commands.add_parser(
        "key", help="API keys: create, list, rotate, revoke"
    ).add_subparsers(required=True, metavar="what")
    create = verbs.add_parser("create", help="a new key; its secret is shown this once")
    create.add_argument("--name", default="key")
    create.add_argument(
        "--scope",
        action="append",
        choices=sorted(accounts.ALL_SCOPES),
        metavar="SCOPE",
        help=f"may be repeated; all by default: {', '.join(sorted(accounts.ALL_SCOPES))}",
    )
    create.add_argument(
        "--public",
        action="store_true",
        help="for apps and pages, where anybody can read it: it can report events to "
        "POST /integrations/event, and nothing else",
    )
    create.set_defaults(command=_create_key)
    listing = verbs.add_parser("list", help="all keys, without their secrets")
    listing.set_defaults(command=_list_keys)
    rotate = verbs.add_parser("rotate", help="a new secret in place of an old one")
    rotate.add_argument("key_id")
    rotate.add_argument(
        "--grace-hours", type=float, default=0, help="how long the old one stays good"
    )
    rotate.set_defaults(command=_rotate_key)
    revoke = verbs.add_parser("revoke", help="end a key")
    revoke.add_argument("key_id")
    revoke.set_defaults(command=_revoke_key)
    for verb in (create, listing, rotate, revoke):
        verb.add_argument("--account", required=True, metavar="ID")
        target.add_arguments(verb)


def _add_rebuild(commands: Any) -> None:
    parser = commands.add_parser(
        "rebuild", help="ranks and totals of a campaign, anew from its facts; says what was wrong"
    )
    parser.add_argument("--campaign", required=True, metavar="ID")
    target.add_arguments(parser)
    parser.set_defaults(command=rebuilding.run)


def _run(options: argparse.Namespace) -> int:
    # Imported here: moto and the translator would make every other command slow, too.
    from local import running

    return running.serve(
        options.template,
        port=options.port,
        engine=options.engine,
        with_demo=options.seed == "demo",
        api_key=options.api_key,
    )


def _invoke(options: argparse.Namespace) -> int:
    from local import running

    return running.invoke(options.template, options.function, options.event, engine=options.engine)


def _create_account(options: argparse.Namespace) -> int:
    with runtime.using(target.runtime_of(options)):
        account = accounts.create_account(options.name, options.environment)
    return _show(
        {
            "accountId": account.account_id,
            "name": account.name,
            "environment": account.environment,
        }
    )


def _list_senders(options: argparse.Namespace) -> int:
    with runtime.using(target.runtime_of(options)):
        return _show_senders(options, accounts.list_senders(options.account))


def _allow_sender(options: argparse.Namespace) -> int:
    with runtime.using(target.runtime_of(options)):
        return _show_senders(options, accounts.allow_sender(options.account, options.identity))


def _disallow_sender(options: argparse.Namespace) -> int:
    with runtime.using(target.runtime_of(options)):
        return _show_senders(options, accounts.disallow_sender(options.account, options.identity))


def _show_senders(options: argparse.Namespace, senders: list[str]) -> int:
    return _show({"accountId": options.account, "senders": senders})


def _create_key(options: argparse.Namespace) -> int:
    with runtime.using(target.runtime_of(options)):
        return _show_new_key(
            accounts.create_key(
                options.account,
                name=options.name,
                scopes=options.scope,
                is_public=options.public,
            )
        )


def _list_keys(options: argparse.Namespace) -> int:
    with runtime.using(target.runtime_of(options)):
        keys = accounts.list_keys(options.account)
    return _show(
        [
            {
                "keyId": key.key_id,
                "name": key.name,
                "scopes": sorted(key.scopes),
                "public": key.is_public,
                "createdAt": key.created_at,
                "validUntil": key.valid_until,
            }
            for key in keys
        ]
    )


def _rotate_key(options: argparse.Namespace) -> int:
    grace_ms = int(options.grace_hours * _HOUR_MS)
    with runtime.using(target.runtime_of(options)):
        return _show_new_key(
            accounts.rotate_key(options.account, options.key_id, grace_ms=grace_ms)
        )


def _revoke_key(options: argparse.Namespace) -> int:
    with runtime.using(target.runtime_of(options)):
        accounts.revoke_key(options.account, options.key_id)
    return _show({"keyId": options.key_id, "revoked": True})


def _show_new_key(key: accounts.NewKey) -> int:
    print("The secret is shown only now; what is stored is its hash.", file=sys.stderr)
    return _show(
        {
            "keyId": key.key_id,
            "secret": key.secret,
            "scopes": sorted(key.scopes),
            "public": key.is_public,
        }
    )


def _show(value: Any) -> int:
    print(json.dumps(value, indent=2))
    return 0
