"""The regulatory files of a day's bundle, written as its events go by."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from ems.exports.book import Book, Fact
from ems.exports.cat import Cat
from ems.exports.cat_layout import LAYOUTS, VERIFIED
from ems.exports.cat_text import Record, file_name, to_csv, to_json
from ems.exports.consolidated import COLUMNS, INTEGERS, SOURCES, Recorder
from ems.exports.coverage import COLUMNS as COVERAGE_COLUMNS
from ems.exports.coverage import Coverage
from ems.exports.european import RTS6_IN, RTS6_OUT, RTS24
from ems.exports.european_rows import RTS22_COLUMNS, RTS22_SOURCES, European, Row
from ems.exports.parties import Models
from ems.exports.ports import Outputs
from ems.exports.predicted import Predictor
from ems.exports.schemas import all_schemas
from ems.exports.settings import ReportingSettings

FOLDER: Final = "regulatory"
OBLIGED: Final = {
    "cat": "FINRA CAT (SEC Rule 613): members of FINRA and of national securities exchanges that originate, receive, route, "
    "modify, cancel or execute orders in NMS and OTC equity securities. Due at 08:00 Eastern Time of the next trading day.",
    "rts24": "Delegated Regulation (EU) 2017/580 (RTS 24): trading venues; their members, for what venues ask them for.",
    "rts6_incoming": "Delegated Regulation (EU) 2017/589 (RTS 6) art. 28, Annex II table 2: firms that engage in high-frequency "
    "algorithmic trading. To be kept for five years.",
    "rts6_outgoing": "As rts6_incoming, Annex II table 3.",
    "rts22_source": "Delegated Regulation (EU) 2017/590 (RTS 22): investment firms that execute transactions. Source data alone: "
    "a transaction report needs persons and instruments beyond these.",
    "consolidated": "Nobody by itself: the record from which the others derive, one row for each event.",
}
WORD: Final = (
    "Engineering material, not legal advice. Numbers and names of RTS 24's fields 3 to 51, RTS 6's tables and the CSV positions "
    f"of the CAT types other than {', '.join(sorted(VERIFIED))} are to be verified before anybody relies on them."
)


class Regulatory:
    """Writes them all. Give it each event of the day after the book has it, then `finish`."""

    def __init__(self, out: Outputs, settings: ReportingSettings, book: Book, models: Models, day: str) -> None:
        self._out = out
        self.coverage = Coverage()
        self._cat, self._european = Cat(settings, book), European(settings, book, models)
        self._recorder = Recorder(book, models, settings)
        self.predictor = Predictor(self._cat.carried())
        self.predictor.crossed_before(self._cat.carried_ids())
        self.predictor.carry_routes(self._cat.carried_routes())
        submitter, imid = settings.cat.submitter or "SUBMITTER", settings.cat.imid or "IMID"
        self._json = out.lines(f"{FOLDER}/cat/{file_name(submitter, imid, day, 1, 'json')}", "bz2")
        self._csv = out.lines(f"{FOLDER}/cat/{file_name(submitter, imid, day, 2, 'csv')}", "bz2")
        self._parquet = out.parquet(f"{FOLDER}/consolidated.parquet", COLUMNS, INTEGERS)
        made: dict[str, tuple[Sequence[str], Callable[[Fact], Iterator[Row]]]] = {
            "rts24": ([column.heading for column in RTS24], self._european.orders),
            "rts6_incoming": ([column.heading for column in RTS6_IN], self._european.incoming),
            "rts6_outgoing": ([column.heading for column in RTS6_OUT], self._european.outgoing),
            "rts22_source": (RTS22_COLUMNS, self._european.transactions),
        }
        self._tables = {name: (out.csv(f"{FOLDER}/{name}.csv", columns), rows) for name, (columns, rows) in made.items()}
        self._know()

    def _know(self) -> None:
        know = self.coverage.know
        know("rts24", [c.name for c in RTS24], [c.source for c in RTS24])
        know("rts6_incoming", [c.name for c in RTS6_IN], [c.source for c in RTS6_IN])
        know("rts6_outgoing", [c.name for c in RTS6_OUT], [c.source for c in RTS6_OUT])
        know("rts22_source", RTS22_COLUMNS, RTS22_SOURCES)
        know("consolidated", COLUMNS, list(SOURCES.values()))
        for code, layout in LAYOUTS.items():
            names = [field.name for field in layout if field.kind != "retired"]
            know(f"cat {code}", names, ["events, configuration"] * len(names))

    def before(self, fact: Fact) -> None:
        """An event of an earlier day: only what later rows say of it."""
        self._recorder.apply(fact)

    def apply(self, fact: Fact) -> None:
        """One event of the day."""
        self._recorder.apply(fact)
        self.predictor.crossed(fact)
        for record in self._cat.records(fact):
            self._tell(record)
        for name, (append, rows) in self._tables.items():
            for row in rows(fact):
                append(row)
                self.coverage.row(name, row)
        whole = self._recorder.row(fact)
        self._parquet(whole)
        self.coverage.fields("consolidated", whole)

    def finish(self) -> dict[str, Any]:
        """The rest, and what is to be said of all. Returns the predicted errors."""
        for record in self._cat.finish():
            self._tell(record)
        append = self._out.csv(f"{FOLDER}/coverage.csv", COVERAGE_COLUMNS)
        for row in self.coverage.table():
            append(row)
        report = self.predictor.report()
        self._out.write(f"{FOLDER}/predicted_errors.json", json_bytes(report))
        for name, schema in all_schemas().items():
            self._out.write(f"{FOLDER}/schemas/{name}", json_bytes(schema))
        self._out.write(f"{FOLDER}/obliged.json", json_bytes({"note": WORD, "obliged": OBLIGED}))
        return report

    def _tell(self, record: Record) -> None:
        self.predictor.check(record)
        self._json(to_json(record))
        self._csv(to_csv(record))
        self.coverage.fields(f"cat {record.type}", record.fields)


def json_bytes(value: object) -> bytes:
    """As every JSON file of a bundle is written."""
    return json.dumps(value, indent=1, sort_keys=True).encode() + b"\n"
