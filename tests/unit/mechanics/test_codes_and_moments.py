from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest

from grapevine.engine.mechanics.moments import Moment, Save, Span, moments_of, open_since
from grapevine.engine.mechanics.parts import WinCode
from grapevine.engine.mechanics.win_codes import (
    batch_code,
    hash_of_code,
    normalised,
    prefix_of,
    win_code,
)
from tests.unit.mechanics.samples import DAY, NOON, at, instant_win, tier

SECRET = "0123456789abcdef" * 4
FORM = WinCode()


# Codes


@pytest.mark.parametrize(
    ("slug", "prefix"),
    [
        ("summer-promo", "SUMM"),
        ("a", "AXXX"),
        ("a-b", "ABXX"),
        ("2025", "2025"),
        ("x-1-y-2-z", "X1Y2"),
        ("ab-", "ABXX"),
    ],
)
def test_a_code_begins_with_four_characters_of_the_slug(slug: str, prefix: str) -> None:
    assert prefix_of(slug) == prefix


def test_a_code_follows_from_its_event_and_attempt() -> None:
    code = win_code(SECRET, "summer-promo", "evt_1", 0, FORM)

    assert code == win_code(SECRET, "summer-promo", "evt_1", 0, FORM)
    others = {
        win_code(SECRET, "summer-promo", "evt_1", 1, FORM),
        win_code(SECRET, "summer-promo", "evt_2", 0, FORM),
        win_code("ab" * 32, "summer-promo", "evt_1", 0, FORM),
    }
    assert len(others | {code}) == 4


@pytest.mark.parametrize("length", [6, 8, 32])
@pytest.mark.parametrize(
    "alphabet", [FORM.alphabet, "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"]
)
def test_codes_have_their_length_and_every_character_as_often_as_any_other(
    length: int, alphabet: str
) -> None:
    form = WinCode.model_validate({"length": length, "alphabet": alphabet})

    words = [win_code(SECRET, "ab", f"evt_{number}", 0, form) for number in range(2000)]

    assert all(word.startswith("ABXX-") and len(word) == 5 + length for word in words)
    counted = Counter("".join(word[5:] for word in words))
    assert set(counted) == set(alphabet)
    expected = 2000 * length / len(alphabet)
    assert all(each == pytest.approx(expected, rel=0.35) for each in counted.values())


def test_the_first_characters_come_no_more_often_than_the_others() -> None:
    """A byte has 256 values, eight more than eight times 31: those must be passed over."""
    form = WinCode.model_validate({"length": 32})
    words = "".join(win_code(SECRET, "ab", f"evt_{n}", 0, form)[5:] for n in range(2000))

    share = sum(words.count(each) for each in FORM.alphabet[:8]) / len(words)

    assert share == pytest.approx(8 / 31, abs=0.008)


def test_no_character_of_a_code_looks_like_another_one() -> None:
    assert not set("O0I1L") & set(FORM.alphabet)
    assert len(FORM.alphabet) == 31


def test_codes_of_a_batch_follow_from_its_id_and_their_numbers() -> None:
    codes = [batch_code(SECRET, "SUMM", "batch", number, 0) for number in range(1000)]

    assert codes == [batch_code(SECRET, "SUMM", "batch", number, 0) for number in range(1000)]
    assert len(set(codes)) == 1000
    assert all(re.fullmatch("SUMM-[A-HJ-KM-NP-Z2-9]{8}", code) for code in codes)


def test_codes_of_another_batch_secret_or_attempt_are_others() -> None:
    code = batch_code(SECRET, "SUMM", "batch", 7, 0)

    others = [
        batch_code("11" * 32, "SUMM", "batch", 7, 0),
        batch_code(SECRET, "SUMM", "batch2", 7, 0),
        batch_code(SECRET, "SUMM", "batch", 8, 0),
        batch_code(SECRET, "SUMM", "batch", 7, 1),
    ]

    assert len({code, *others}) == 5


def test_a_code_is_known_by_a_hash_however_it_is_typed() -> None:
    code = win_code(SECRET, "summer-promo", "evt_1", 0, FORM)

    typed = hash_of_code(SECRET, f"  {code.lower()} ")

    assert normalised(f" {code.lower()}") == code
    assert typed == hash_of_code(SECRET, code)
    assert typed != hash_of_code("ab" * 32, code)
    assert code not in typed


# Moments


SPAN = Span(at("2025-07-01T00:00:00+00:00"), at("2025-07-31T23:59:59+00:00"))
SAVE = Save(save_id="save_1", version=3, secret_number=2)
COUNTS = {"a": 30, "b": 20}


def drawn(save: Save = SAVE, span: Span = SPAN, secret: str = SECRET) -> list[Moment]:
    return moments_of(save, COUNTS, span, campaign_id="camp01", secret=secret)


def test_there_is_one_moment_for_each_prize_within_the_span() -> None:
    found = drawn()

    assert Counter(each.tier_id for each in found) == COUNTS
    assert len({(each.tier_id, each.number) for each in found}) == 50
    assert all(SPAN.start <= each.at <= SPAN.end for each in found)
    assert [each.at for each in found] == sorted(each.at for each in found)
    assert found[0].at < SPAN.start + 4 * DAY
    assert found[-1].at > SPAN.end - 4 * DAY
    assert {each.save for each in found} == {SAVE}


def test_the_same_moments_are_drawn_again_and_others_by_another_secret_or_version() -> None:
    times = [each.at for each in drawn()]

    assert drawn() == drawn()
    assert times == [each.at for each in drawn(replace(SAVE, save_id="another"))]
    assert times != [each.at for each in drawn(secret="ab" * 32)]
    assert times != [each.at for each in drawn(replace(SAVE, version=4))]


def test_a_span_has_both_its_ends_and_what_is_over_has_no_moment() -> None:
    assert {each.at for each in drawn(span=Span(NOON, NOON))} == {NOON}
    assert drawn(span=Span(NOON + 1, NOON)) == []


def test_a_moment_is_open_from_its_time_on_until_its_window_ends() -> None:
    always = instant_win(tier("a", inventory=1), mode="moments").instant_win
    window = instant_win(tier("a", inventory=1), mode="moments", windowMinutes=10).instant_win
    assert always is not None
    assert window is not None

    assert open_since(always, NOON) == 0
    assert open_since(window, NOON) == NOON - 600_000
    assert open_since(window, 5) == 0
