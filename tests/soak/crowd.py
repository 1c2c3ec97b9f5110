"""A client process: some people on threads of their own, told when to stop and when to answer."""

import random
import signal
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized
from typing import Self

from tests.soak.facts import NO_ANSWER, Asked, Diary, Finding
from tests.soak.person import Person
from tests.soak.seat import Who
from tests.soak.wire import Line

LOAD, REST, ROLL_CALL, OVER = range(4)
TABS = 24
JOIN_SECONDS = 10.0
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Post:
    """What a client process is told at its start."""

    base_url: str
    ports: list[int]
    people: list[Who]
    life: float
    seed: int
    secret_key: str = field(repr=False)


class Crowd:
    """Client processes, as who started them sees them. Use as a context manager."""

    def __init__(self, posts: list[Post]) -> None:
        context = get_context("spawn")
        self._stage: Synchronized[int] = context.Value("i", LOAD)
        self._done: list[Synchronized[int]] = []
        self._pipes: list[Connection] = []
        self._processes = []
        self._at_rest: set[int] = set()
        for post in posts:
            ours, theirs = context.Pipe(duplex=False)
            done: Synchronized[int] = context.Value("q", 0)
            process = context.Process(target=_main, args=(post, self._stage, done, theirs))
            # Ctrl-C reaches the whole group, and who starts them ends things in order: the clients
            # are deaf to it from their first moment on.
            before = signal.signal(signal.SIGINT, signal.SIG_IGN)
            process.start()
            signal.signal(signal.SIGINT, before)
            theirs.close()
            self._processes.append(process)
            self._pipes.append(ours)
            self._done.append(done)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def answers(self) -> int:
        """How many answers came so far."""
        return sum(done.value for done in self._done)

    def rest(self) -> None:
        """Let everybody finish what they are at. RuntimeError when a process has died."""
        self._stage.value = REST
        self._await_rest()

    def gather(self, stage: int = ROLL_CALL) -> Diary:
        """The last word of everybody who rests. RuntimeError when a process has died."""
        whole = Diary()
        self._stage.value = stage
        self._await_rest()
        for number in range(len(self._pipes)):
            whole.add(self._heard(number))
        return whole

    def close(self) -> None:
        """End every process, whatever it is at."""
        for process, pipe in zip(self._processes, self._pipes, strict=True):
            if self._stage.value in (ROLL_CALL, OVER):
                process.join(JOIN_SECONDS)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()
            pipe.close()

    def _await_rest(self) -> None:
        for number in set(range(len(self._pipes))) - self._at_rest:
            self._heard(number)
            self._at_rest.add(number)

    def _heard(self, number: int) -> Diary:
        process, pipe = self._processes[number], self._pipes[number]
        try:
            if pipe.poll(PATIENCE_SECONDS):
                said: Diary = pipe.recv()
                return said
        except EOFError:
            process.join(JOIN_SECONDS)
        raise RuntimeError(f"a client process says nothing; its status is {process.exitcode}")


def _main(
    post: Post, stage: "Synchronized[int]", done: "Synchronized[int]", pipe: Connection
) -> None:
    diary, dice = Diary(), random.Random(post.seed)
    line = Line(post.base_url, post.ports, post.secret_key)

    def nap(seconds: float) -> None:
        until = time.monotonic() + seconds
        while stage.value == LOAD and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.2))

    with ThreadPoolExecutor(TABS) as tabs:
        people = [
            Person(
                who,
                line,
                diary,
                dice=random.Random(dice.random()),
                tabs=tabs,
                life=post.life,
                over=lambda: stage.value != LOAD,
                nap=nap,
                cut_short=lambda: stage.value == OVER,
            )
            for who in post.people
        ]
        _all(people, Person.run, diary, done)
        pipe.send(Diary())  # at rest
        while stage.value == REST:
            time.sleep(0.05)
        if stage.value == ROLL_CALL:
            _all(people, Person.roll_call, diary, done)
    pipe.send(diary)
    pipe.close()


def _all(
    people: list[Person],
    act: Callable[[Person], object],
    diary: Diary,
    done: "Synchronized[int]",
) -> None:
    def safely(person: Person) -> None:
        try:
            act(person)
        except Exception:  # a client that fails must fail the soak, and must not stop the others
            asked = Asked("client", 0, time.time(), time.time(), NO_ANSWER)
            text = traceback.format_exc()[-1500:]
            diary.findings.append(Finding("odd", person.name, "", asked, text))

    threads = [threading.Thread(target=safely, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(0.5)
            done.value = len(diary.answers)
