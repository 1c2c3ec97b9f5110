"""The judge of a soak finds every planted fault, and knows what is legal and what is not."""

from math import inf
from typing import Any

import pytest

from tests.soak.facts import (
    Asked,
    Broken,
    Diary,
    Facts,
    Finding,
    FindingKind,
    Grant,
    Outage,
    SignedIn,
    SignedOut,
)
from tests.soak.judge import (
    AT_A_KILL,
    ELSEWHERE,
    EVERYWHERE_LATE,
    KILLED,
    KILLED_AGAIN,
    LEAVING,
    OUT_OF_STORE,
    SAME_SECOND,
    Verdict,
    judge,
)
from tests.soak.report import as_data, as_text, summary
from tests.soak.run import Plan

START, LIFE = 1_800_000_000.0, 12.0
GOOD = "sessions lost 0, refreshes per expiry 1.000, resurrections 0, foreign answers 0, no 500"


def facts(**changed: Any) -> Facts:
    """One session, signed in at START with a code, renewed twice when it was due, no fault."""
    diary = Diary(answers=[("GET /me", 200, 0.005)] * 3, signed_in=[SignedIn("one", "code", START)])
    grants = [
        Grant("code", START, "granted", "code", "family", "sub", "first"),
        Grant("refresh", START + 11, "granted", "first", "family", "sub", "second"),
        Grant("refresh", START + 22, "granted", "second", "family", "sub", "third"),
    ]
    made = Facts(diary, grants, [], LIFE, early=2.4)
    for name, value in changed.items():
        setattr(made, name, value)
    return made


def found(kind: FindingKind, at: float = 30.0, host: int = 0, **more: Any) -> Finding:
    """Something that a client saw `at` seconds after the start."""
    asked = Asked("GET /me", host, START + at, START + at + 0.01, 200)
    return Finding(kind, "soak-01", "one", asked, **more)


def verdict_on(made: Facts, *findings: Finding) -> Verdict:
    """The verdict with these findings besides."""
    made.diary.findings += findings
    return judge(made)


def kill(at: float, host: int = 0) -> Outage:
    """A worker that was killed so many seconds after the start."""
    return Outage("kill", "kill -9 1 of 2", START + at, START + at + 0.3, host)


def test_a_good_soak_is_good() -> None:
    """Nothing planted, nothing found: the promised line and exit status 0."""
    verdict = judge(facts())
    assert verdict.good
    assert (verdict.expiries, verdict.grants) == (2, 2)
    assert summary(verdict) == GOOD


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("lost", "sessions lost 1"),
        ("resurrection", "resurrections 1"),
        ("foreign", "foreign answers 1"),
        ("500", "1 times 500"),
        ("odd", "odd 1"),
        ("lost update", "lost update 1"),
    ],
)
def test_what_a_client_saw_breaks_the_promise(kind: FindingKind, said: str) -> None:
    """Each kind of finding without a reason is counted, told, and ends the soak as bad."""
    verdict = verdict_on(facts(), found(kind))
    assert not verdict.good
    assert said in summary(verdict)
    assert verdict.legal == {}


def test_a_token_presented_twice_is_a_double_refresh() -> None:
    """Two presentations of one token are two refreshes for one expiry, whoever won."""
    made = facts()
    again = made.grants[1]._replace(at=START + 11.2, outcome="refused", won="")
    made.grants.insert(2, again)
    verdict = judge(made)
    assert verdict.count("double refresh") == 1
    assert (verdict.expiries, verdict.grants) == (2, 3)
    assert "refreshes per expiry 1.500" in summary(verdict)


def test_a_refresh_long_before_it_is_due_is_one_too_many() -> None:
    """A new token that is renewed at once is a second refresh for the same expiry."""
    made = facts()
    made.grants[2] = made.grants[2]._replace(at=START + 11.3)
    verdict = judge(made)
    assert verdict.count("double refresh") == 1
    assert (verdict.expiries, verdict.grants) == (1, 2)


def test_a_fault_that_answered_in_the_providers_stead_is_no_refresh() -> None:
    """The same token after a 503, a reset or a silence is the first that is counted."""
    made = facts()
    for how in ("503", "reset", "hang"):
        made.grants.insert(1, made.grants[1]._replace(at=START + 10.5, outcome=how, won=""))
    assert summary(judge(made)) == GOOD


def _killed_with_a_grant(killed_at: float) -> Facts:
    """A token that was spent at 22 and presented again at 28, with a kill in between."""
    made = facts(outages=[kill(killed_at)])
    made.grants.append(Grant("refresh", START + 28, "refused", "second", "family", "sub"))
    made.diary.findings.append(found("lost", 28.1))
    return made


def test_CC_04_a_worker_killed_with_a_grant_in_hand_is_legal_and_counted_apart() -> None:
    """One session ends and one token is presented twice; both with their reason."""
    verdict = judge(_killed_with_a_grant(22.4))
    assert verdict.good
    assert verdict.legal == {KILLED: 1, KILLED_AGAIN: 1}
    assert summary(verdict) == GOOD


@pytest.mark.parametrize("killed_at", [21.0, 26.0])
def test_a_kill_at_another_time_excuses_nothing(killed_at: float) -> None:
    """Killed before the grant, or long after it: a lost session and a double refresh."""
    verdict = judge(_killed_with_a_grant(killed_at))
    assert (verdict.count("lost"), verdict.count("double refresh")) == (1, 1)


def test_a_kill_excuses_no_token_that_was_written() -> None:
    """What the grant had won was presented later, so it was not lost with the worker."""
    made = _killed_with_a_grant(22.4)
    made.grants.insert(3, Grant("refresh", START + 33, "granted", "third", "family", "sub", "4th"))
    assert judge(made).count("double refresh") == 1


def test_a_store_that_was_out_lets_a_grant_be_held_for_longer() -> None:
    """While a won token cannot be written its holder may die: until the store is back."""
    made = _killed_with_a_grant(26.0)
    made.outages.append(Outage("store", "down", START + 21, START + 25))
    assert judge(made).good


def test_SO_06_another_host_may_know_late_and_not_later() -> None:
    """Signed out while the store was out: legal on the other host until ten seconds after."""
    made = facts(outages=[Outage("store", "down", START + 28, START + 32)])
    late: dict[str, Any] = {"since": START + 30, "allowed_until": inf, "out_host": 1}
    assert verdict_on(made, found("resurrection", 41.9, **late)).legal == {OUT_OF_STORE: 1}
    assert verdict_on(made, found("resurrection", 42.1, **late)).count("resurrection") == 1
    here = late | {"out_host": 0}
    assert verdict_on(made, found("resurrection", 31, **here)).count("resurrection") == 2


def test_SE_14_another_browser_may_live_for_a_second() -> None:
    """Ended from elsewhere: legal until the moment that was allowed, and not after it."""
    moment: dict[str, Any] = {"since": START + 29.0, "allowed_until": START + 30.0}
    assert verdict_on(facts(), found("resurrection", 29.9, **moment)).legal == {ELSEWHERE: 1}
    assert not verdict_on(facts(), found("resurrection", 30.1, **moment)).good


def _everywhere_at(at: float, *, asked: float = -2.0) -> Facts:
    """An older session of the same person asked to be signed out everywhere; done at `at`."""
    made = facts()
    made.diary.signed_in.append(SignedIn("old", "old code", START - 20))
    made.diary.signed_out.append(SignedOut("old", "everywhere", START + asked))
    made.diary.signed_out.append(SignedOut("old", "everywhere", START + asked, START + asked + 0.7))
    made.grants += [
        Grant("code", START - 20, "granted", "old code", "old family", "sub", "x"),
        Grant("everywhere", START + at, "granted", "access", "old family", "sub"),
    ]
    return made


def test_a_sign_out_everywhere_that_was_held_up_takes_the_next_session_along() -> None:
    """Legal only if the provider had been out since the person asked for it."""
    late = _everywhere_at(5)
    late.outages.append(Outage("provider", "hang", START - 4, START + 4))
    assert verdict_on(late, found("lost", 25)).legal == {EVERYWHERE_LATE: 1}
    assert verdict_on(_everywhere_at(5), found("lost", 25)).count("lost") == 1


def test_what_was_signed_in_before_or_without_a_fault_is_not_excused() -> None:
    """A sign-out that was asked for after the session began, or that nothing held up: lost."""
    asked_later = _everywhere_at(5, asked=2)
    asked_later.outages.append(Outage("provider", "hang", START - 4, START + 4))
    assert verdict_on(asked_later, found("lost", 25)).count("lost") == 1


def test_whole_seconds_cannot_tell_a_session_from_the_sign_out_before_it() -> None:
    """Signed in within the second of an own sign-out everywhere: legal; in the next one: lost."""
    for asked, legal in ((-0.5, True), (-0.8, False)):
        made = _everywhere_at(50, asked=asked)
        verdict = verdict_on(made, found("lost", 3))
        assert verdict.legal == ({SAME_SECOND: 1} if legal else {})
        assert verdict.good is legal


def test_a_leaving_session_may_try_a_token_that_was_just_spent() -> None:
    """A sign-out that wants a living access token races with a refresh: no second refresh."""
    made = facts()
    made.diary.signed_out.append(SignedOut("one", "everywhere", START + 21.9))
    made.grants.append(Grant("refresh", START + 22.3, "refused", "second", "family", "sub"))
    verdict = judge(made)
    assert verdict.legal == {LEAVING: 1}
    assert summary(verdict) == GOOD


def test_RT_01_no_answer_is_legal_at_a_kill_of_that_host_alone() -> None:
    """A request in flight at a kill; the same at another host, or at another time, is not."""
    asked = Asked("GET /", 0, START + 5.0, START + 5.1, 0)
    for outage, legal in ((kill(5.05), True), (kill(5.05, host=1), False), (kill(9.0), False)):
        made = facts(outages=[outage])
        made.diary.broken.append(Broken("one", asked))
        verdict = judge(made)
        assert verdict.legal == ({AT_A_KILL: 1} if legal else {})
        assert verdict.count("no answer") == (0 if legal else 1)


def test_the_log_and_the_doubles_are_heard() -> None:
    """An unforeseen error, a traceback and a complaint each end a soak as bad."""
    assert "1 times 500" in summary(judge(facts(log=['{"event": "unforeseen", "where": "x:1"}'])))
    assert judge(facts(log=["Traceback (most recent call last):"])).count("traceback") == 1
    assert judge(facts(complaints=["no such client"])).count("complaint") == 1


def test_what_came_after_ctrl_c_does_not_count() -> None:
    """Ctrl-C reaches the hosts as well: what is seen after it is nobody's fault."""
    made = facts(over_at=START + 29)
    made.diary.broken.append(Broken("one", Asked("GET /", 0, START + 29, START + 29.1, 0)))
    assert verdict_on(made, found("lost", 30)).good
    assert not verdict_on(made, found("lost", 28)).good


def test_the_report_has_what_is_needed_to_find_out_why() -> None:
    """Beside a broken promise stand its session, times, faults, grants and log lines."""
    made = facts(
        outages=[Outage("pool", "hang", START + 20, START + 23)],
        log=[
            '{"event": "signed_in", "session": "one", "request_id": "0123456789abcdef",'
            ' "timestamp": "2027-01-15T08:00:25.5Z"}',
            '{"event": "other", "request_id": "0123456789abcdef",'
            ' "timestamp": "2027-01-15T08:00:25.6Z"}',
            '{"event": "foreign to it", "timestamp": "2027-01-15T08:00:25.7Z"}',
        ],
    )
    verdict = verdict_on(made, found("lost", said="refresh_refused"))
    text = as_text(Plan("sqlite"), made, verdict)
    for part in ("session one", "pool hang", "refresh granted second -> third", '"signed_in"'):
        assert part in text
    assert '"other"' in text
    assert "foreign to it" not in text
    data = as_data(Plan("sqlite"), made, verdict)
    assert (data["good"], data["sessions_lost"], data["refreshes_per_expiry"]) == (False, 1, 1.0)
    assert text.endswith(data["summary"])
