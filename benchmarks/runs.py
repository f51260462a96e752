"""All runs of a benchmark, kept in a file so that an interrupted benchmark can continue."""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.targets import BUILD, ROOT

Figures = dict[str, float]

_SOURCES = ("server", "handlers", "storage", "domain", "client_compat", "benchmarks")
_KINDS = (".py", ".go", ".js", ".txt", ".json", ".mod")


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one case on one target. `wrong` has what the checks found, in words; it is empty if all is well."""

    target: str
    case: str
    round: int
    figures: Figures
    wrong: list[str] = field(default_factory=list)


class Runs:
    """All runs so far, in memory and in the file `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text().splitlines() if path.exists() else []
        self.all = [Run(**json.loads(line)) for line in lines]

    def find(self, target: str, case: str, number: int) -> Run | None:
        return next(
            (run for run in self.all if (run.target, run.case, run.round) == (target, case, number)), None
        )

    def once(
        self, target: str, case: str, number: int, measure: Callable[[], tuple[Figures, list[str]]]
    ) -> Run:
        """The run of this target, case and round: from the file, or else measured now and added to the file."""
        if (kept := self.find(target, case, number)) is not None:
            return kept
        figures, wrong = measure()
        run = Run(target, case, number, figures, wrong)
        self.all.append(run)
        with self._path.open("a") as file:
            file.write(json.dumps(asdict(run)) + "\n")
        return run

    def median(self, target: str, case: str, figure: str) -> float | None:
        """The median of a figure over the rounds; None if it was not measured."""
        values = [
            run.figures[figure]
            for run in self.all
            if (run.target, run.case) == (target, case) and figure in run.figures
        ]
        return median(values) if values else None


def runs_file(kind: str) -> Path:
    """The file with the runs of exactly these sources: a changed source starts a new file."""
    return BUILD / f"runs-{kind}-{_digest()}.jsonl"


def _digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(_source_files()):
        digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _source_files() -> Iterable[Path]:
    for directory in _SOURCES:
        for path in (ROOT / directory).rglob("*"):
            if path.suffix in _KINDS and "node_modules" not in path.parts:
                yield path
