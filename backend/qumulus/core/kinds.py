"""Kinds of programs: a name that is stored with each job, and the type of what such a job brings along.

Who accepts a job and who runs it never meet: what they agree on is a `Kind`. Both import the same one (see `qumulus.payloads`), one
to encode and the other to decode. `Runners` says who runs each kind, and `Runners.check` compares that with the kinds there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, Self, TypeVar

R = TypeVar("R")


class Undecodable(ValueError):
    """A payload can't be decoded; the text is a whole sentence."""


class UnknownKind(LookupError):
    """Nothing runs programs of a kind that was accepted: an error of ours, whoever sent the program."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Nothing here runs jobs of the kind {name!r}, though such a job was accepted. This is an error of Qumulus, not of "
            "the program: report it, with the server's log."
        )


class KindsDiffer(Exception):
    """Kinds have no runner, or runners have no kind; ``sentences`` says which."""

    def __init__(self, sentences: Iterable[str]) -> None:
        self.sentences = tuple(sentences)
        super().__init__("\n".join(self.sentences))


class Payload(Protocol):
    """What a job brings along, as bytes and back."""

    def encode(self) -> bytes:
        """Return the bytes that are stored with the job. Versions to come read what earlier ones have written."""
        ...

    @classmethod
    def decode(cls, content: bytes) -> Self:
        """Return the payload of these bytes.

        Raises:
            Undecodable
        """
        ...


P = TypeVar("P", bound=Payload)


@dataclass(frozen=True, slots=True)
class Kind(Generic[P]):
    """A kind of program."""

    name: str  # stored with each job
    payload: type[P]

    def encode(self, payload: P) -> bytes:
        """Return the bytes of a payload of this kind."""
        return payload.encode()

    def decode(self, content: bytes) -> P:
        """Return the payload of a job of this kind.

        Raises:
            Undecodable
        """
        return self.payload.decode(content)


class Kinds(Mapping[str, Kind]):
    """Kinds by their names."""

    def __init__(self, *kinds: Kind) -> None:
        """Collect kinds.

        Raises:
            KindsDiffer: two of them have one name.
        """
        self._kinds = {kind.name: kind for kind in kinds}
        if len(self._kinds) < len(kinds):
            names = [kind.name for kind in kinds]
            twice = sorted({name for name in names if names.count(name) > 1})
            raise KindsDiffer(f"There are several kinds of programs with the name {name!r}." for name in twice)

    def __getitem__(self, name: str) -> Kind:
        return self._kinds[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)


class Runners(Generic[R]):
    """What runs each kind: whatever an engine calls its runners."""

    def __init__(self, engine: str, runners: Mapping[Kind, R]) -> None:
        """``engine`` names whose runners they are, such as "The simulation"."""
        self._engine = engine
        self._runners = {kind.name: runner for kind, runner in runners.items()}
        self._kinds = {kind.name: kind for kind in runners}

    def __iter__(self) -> Iterator[str]:
        return iter(self._runners)

    def all(self) -> tuple[R, ...]:
        """Return all runners."""
        return tuple(self._runners.values())

    def of(self, name: str) -> R:
        """Return what runs programs of the kind with that name.

        Raises:
            UnknownKind
        """
        try:
            return self._runners[name]
        except KeyError:
            raise UnknownKind(name) from None

    def check(self, kinds: Mapping[str, Kind]) -> None:
        """Compare with the kinds that are accepted to be run by this engine.

        Raises:
            KindsDiffer: some have no runner, some runners have no kind, or both mean different payloads by one name.
        """
        engine = self._engine
        sentences = [
            *(f"{engine} has no runner for jobs of the kind {name!r}." for name in kinds if name not in self._runners),
            *(
                f"{engine} has a runner for the kind {name!r}, which nobody sends."
                for name in self
                if name not in kinds
            ),
            *(
                f"{engine} takes the kind {name!r} for one with the payload {self._kinds[name].payload.__qualname__}, "
                f"where {kinds[name].payload.__qualname__} is sent."
                for name in self
                if name in kinds and kinds[name] != self._kinds[name]
            ),
        ]
        if sentences:
            raise KindsDiffer(sentences)
