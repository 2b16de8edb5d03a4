from __future__ import annotations

import hmac
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapevine.engine.mechanics.draws import commitment, draw_value, new_secret
from grapevine.engine.mechanics.fields import instant_text
from grapevine.engine.mechanics.instant_win import tier_at
from grapevine.engine.mechanics.moments import Save, Span, moments_of
from grapevine.engine.mechanics.parts import PPM
from tests.unit.mechanics.samples import instant_win, tier

SECRET = "00112233445566778899aabbccddeeff" * 2
OTHER = "ff" * 32
SCRIPT = Path(__file__).parents[3] / "docs/verify_draw.py"


def test_a_draw_follows_from_its_secret_campaign_and_event() -> None:
    drawn = draw_value(SECRET, "camp01", "evt_1")

    assert drawn == draw_value(SECRET, "camp01", "evt_1")
    others = {
        draw_value(OTHER, "camp01", "evt_1"),
        draw_value(SECRET, "camp02", "evt_1"),
        draw_value(SECRET, "camp01", "evt_2"),
    }
    assert drawn not in others
    assert len(others) == 3


def test_a_draw_is_the_same_for_ever() -> None:
    """Published draws must stay checkable: these numbers never change."""
    drawn = [draw_value(SECRET, "camp01", f"evt_{number}") for number in range(4)]

    assert drawn == [73_747, 99_614, 453_440, 405_324]


def test_a_secret_has_32_bytes_and_its_commitment_does_not_tell_it() -> None:
    one, other = new_secret(), new_secret()

    assert one != other
    assert len(bytes.fromhex(one)) == 32
    assert commitment(one) != commitment(other)
    assert commitment(SECRET).startswith("sha256:")
    assert SECRET not in commitment(SECRET)


def test_two_hundred_thousand_draws_hit_the_tiers_as_often_as_their_odds_say() -> None:
    """Chi-square with three degrees of freedom: 16.27 is exceeded once in a thousand secrets. This
    secret is fixed, so the test always comes to the same."""
    configured = instant_win(
        tier("gold", 10_000), tier("silver", 50_000), tier("bronze", 240_000)
    ).instant_win
    assert configured is not None
    count = 200_000
    drawn = [draw_value(SECRET, "camp01", f"evt_{number}") for number in range(count)]

    hits = Counter(
        hit.id if (hit := tier_at(configured.tiers, value)) else "none" for value in drawn
    )

    odds = {"gold": 10_000, "silver": 50_000, "bronze": 240_000, "none": 700_000}
    expected = {name: count * ppm / PPM for name, ppm in odds.items()}
    chi_square = sum((hits[name] - each) ** 2 / each for name, each in expected.items())
    assert chi_square < 16.27
    # The draw is even as such, not only in these shares: a thousand bins, 999 degrees.
    bins = Counter(value // 1000 for value in drawn)
    assert len(bins) == 1000
    assert 850 < sum((bins[each] - 200) ** 2 / 200 for each in range(1000)) < 1150


def test_words_that_would_favour_low_numbers_are_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unfair, fair = (2**32 - 1).to_bytes(4, "big"), (4_293_999_999).to_bytes(4, "big")
    digests = iter([unfair * 8, unfair * 3 + fair + unfair * 4])

    class Fixed:
        def digest(self) -> bytes:
            return next(digests)

    monkeypatch.setattr(hmac, "new", lambda *_: Fixed())

    assert draw_value(SECRET, "camp01", "evt_1") == 999_999


# The script that anybody can check a draw with


def verify(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(  # noqa: PLW1510 - it may fail
        [sys.executable, "-I", str(SCRIPT), *arguments], capture_output=True, text=True, timeout=30
    )
    return done.returncode, done.stdout


def test_the_script_comes_to_the_draw_and_the_tier_that_grapevine_came_to() -> None:
    drawn = draw_value(SECRET, "camp01", "evt_0")
    tiers = ["gold=10000", f"silver={drawn - 10_000 + 1}", "bronze=1"]

    assert verify(commitment(SECRET), SECRET, "camp01", "evt_0", *tiers) == (
        0,
        f"The draw is {drawn}: it hits silver.\n",
    )
    assert verify(commitment(SECRET), SECRET, "camp01", "evt_0", "gold=1") == (
        0,
        f"The draw is {drawn}: it hits no tier.\n",
    )


def test_the_script_finds_a_secret_that_was_not_the_promised_one() -> None:
    status, output = verify(commitment(OTHER), SECRET, "camp01", "evt_0", "gold=10000")

    assert status == 1
    assert commitment(SECRET) in output


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["x"],
        ["c", "no hex", "c", "e"],
        ["c", SECRET, "c", "e", "a"],
        ["moment"],
        ["moment", "c", SECRET, "c", "1", "gold", "0", "2025-07-01T00:00:00Z"],
        ["moment", "c", SECRET, "c", "1", "gold", "0", "2025-07-01", "2025-07-31"],
        ["moment", "c", SECRET, "c", "1", "gold", "0", *["2025-07-02Z", "2025-07-01Z"]],
        ["moment", "c", "no hex", "c", "1", "gold", "0", *["2025-07-01T00:00:00Z"] * 2],
    ],
)
def test_the_script_says_how_it_is_asked(arguments: list[str]) -> None:
    assert verify(*arguments) == (2, "")


def test_the_script_finds_a_moment_that_was_not_hidden_by_the_promised_secret() -> None:
    span = ["2025-07-01T00:00:00Z", "2025-07-31T23:59:59.999Z"]
    unit = [SECRET, "camp01", "3", "gold", "0"]

    told = [verify("moment", commitment(each), *unit, *span) for each in (OTHER, SECRET)]

    assert [status for status, _ in told] == [1, 0]
    assert commitment(SECRET) in told[0][1]


@given(
    secret=st.binary(min_size=32, max_size=32),
    version=st.integers(1, 10**6),
    count=st.integers(1, 5),
    start=st.integers(0, 4 * 10**12),
    length=st.one_of(st.just(0), st.integers(0, 10**11)),
)
def test_the_script_and_grapevine_agree_on_every_moment(
    secret: bytes, version: int, count: int, start: int, length: int
) -> None:
    script: dict[str, object] = {"__name__": "verify_draw"}
    exec(compile(SCRIPT.read_text(), SCRIPT, "exec"), script)  # noqa: S102 - our own script
    save = Save(save_id="save_1", version=version, secret_number=1)
    span = Span(start, start + length)

    moments = moments_of(save, {"gold": count}, span, campaign_id="camp01", secret=secret.hex())

    computed = [
        script["moment_of"](  # type: ignore[operator]
            secret.hex(), "camp01", version, "gold", each.number, (span.start, span.end)
        )
        for each in moments
    ]
    assert computed == [each.at for each in moments]
    assert [script["_time"](at) for at in computed] == [  # type: ignore[operator]
        instant_text(at) for at in computed
    ]


@given(
    secret=st.binary(min_size=32, max_size=32),
    campaign=st.from_regex(r"[a-z0-9]{6}", fullmatch=True),
    event=st.from_regex(r"evt_[0-9a-f]{24}", fullmatch=True),
    odds=st.lists(st.integers(0, 300_000), max_size=3),
)
def test_the_script_and_grapevine_agree_on_every_draw(
    secret: bytes, campaign: str, event: str, odds: list[int]
) -> None:
    script: dict[str, object] = {"__name__": "verify_draw"}
    exec(compile(SCRIPT.read_text(), SCRIPT, "exec"), script)  # noqa: S102 - our own script
    configured = instant_win(
        *(tier(f"t{place}", each) for place, each in enumerate(odds))
    ).instant_win
    assert configured is not None

    drawn = draw_value(secret.hex(), campaign, event)

    hit = tier_at(configured.tiers, drawn)
    assert script["commitment_of"](secret.hex()) == commitment(secret.hex())  # type: ignore[operator]
    assert script["draw_of"](secret.hex(), campaign, event) == drawn  # type: ignore[operator]
    assert script["tier_of"](  # type: ignore[operator]
        drawn, [(each.id, each.odds_ppm) for each in configured.tiers]
    ) == (hit.id if hit else None)
