"""How much one user of the page may ask of the machine, and the line in which users wait for it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

MEGA = 1_000_000
LINE_AT_MOST = 32  # computations that wait; whoever comes then is asked to come again


@dataclass(frozen=True)
class Limits:
    """What is accepted and computed at once.

    Parameters
    ----------
    megabytes : of one uploaded file, and of one file in a zip when unpacked.
    megapixels : of one image.
    pairs : in a zip.
    windows : that the network may classify one batch after the other, which strides that are no multiple of 8 need.
    jobs : computations at once; all others wait.

    Raises
    ------
    ValueError
        Naming the limit that is not above 0.

    Examples
    --------
    >>> Limits().bytes, Limits().pixels
    (20000000, 4000000)
    """

    megabytes: int = 20
    megapixels: float = 4.0
    pairs: int = 100
    windows: int = 4000
    jobs: int = 1

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise ValueError(f"--{name}: found {value}, expected a number above 0")

    @property
    def bytes(self) -> int:
        """Of one file."""
        return self.megabytes * MEGA

    @property
    def zip_bytes(self) -> int:
        """Of a zip of pairs: five files' worth."""
        return 5 * self.bytes

    @property
    def pixels(self) -> int:
        """Of one image."""
        return round(self.megapixels * MEGA)

    def arguments(self) -> list[str]:
        """The limits as arguments of the page's script."""
        return [f"--{name}={value}" for name, value in vars(self).items()]


class Turns:
    """A line of computations: the first `at_once` run, the others wait in the order in which they came.

    Parameters
    ----------
    at_once : how many run side by side.
    at_most : how many may wait; one more is refused with ValueError.

    Examples
    --------
    >>> turns = Turns(1)
    >>> with turns.turn():
    ...     turns.length
    1
    >>> turns.length
    0
    """

    def __init__(self, at_once: int, at_most: int = LINE_AT_MOST):
        self.at_once, self.at_most = at_once, at_most
        self._line: list[object] = []
        self._changed = threading.Condition()

    @property
    def length(self) -> int:
        """How many run or wait."""
        return len(self._line)

    @contextmanager
    def turn(self, tell: Callable[[int], None] = lambda before: None, every: float = 0.5) -> Iterator[None]:
        """Wait for a turn, and keep it for the body.

        Parameters
        ----------
        tell : called while waiting with the number of computations that come before; what it raises ends the waiting.
        every : seconds between two such calls.
        """
        ticket = object()
        with self._changed:
            if len(self._line) >= self.at_once + self.at_most:
                raise ValueError(f"found {len(self._line)} computations in line, expected at most {self.at_once + self.at_most}: try again")
            self._line.append(ticket)
        try:
            while before := self._before(ticket):
                tell(before)
                with self._changed:
                    self._changed.wait_for(lambda: not self._before(ticket), every)
            yield
        finally:
            with self._changed:
                self._line.remove(ticket)
                self._changed.notify_all()

    def _before(self, ticket: object) -> int:
        with self._changed:  # re-entrant: the waiting thread holds it already
            return max(0, self._line.index(ticket) - self.at_once + 1)
