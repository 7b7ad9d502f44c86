"""Layouts of the CAT events that this system can tell of: fields in their order, what each must hold, and which are required.

From FINRA CAT's Industry Member technical specifications, v4.1.0r15. The positions of MENO, MEOR and MEOT are those of the
specification; of the other types names and rules are, while their positions (which matter in CSV alone) are to be verified
against it before a CSV file of them is submitted: `VERIFIED` says which is which. A layout is the one source of the CSV
writer, of the JSON Schema in the repository and of the coverage table.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "actionType": ("NEW", "COR", "RPR", "DEL"),
    "side": ("B", "SL", "SS", "SX"),
    "orderType": ("MKT", "LMT", "CAB"),
    "deptType": ("A", "AGENCY", "AT", "O", "T"),
    "initiator": ("C", "F", "E"),
    "isoInd": ("NA", "I", "D"),
    "capacity": ("A", "P", "R"),
    "fulfillmentLinkType": ("Y", "YE", "YP", "YS", "FOR"),
    "sideDetailsInd": ("NA", "BUY", "SELL"),
}
_TIMESTAMPS: Final = frozenset(
    "orderKeyDate eventTimestamp electronicTimestamp manualOrderKeyDate nbboTimestamp parentOrderKeyDate priorOrderKeyDate "
    "requestTimestamp tradeKeyDate cancelTimestamp quoteKeyDate fillKeyDate allocationKeyDate allocationInstructionTime".split()
)
_DATES: Final = frozenset({"tradeDate", "settlementDate"})
_BOOLEANS: Final = frozenset(
    "manualFlag electronicDupFlag solicitationFlag custDspIntrFlag affiliateFlag negotiatedTradeFlag BFMMFlag routeRejectedFlag "
    "dupROIDCond multiLegInd cancelFlag onlyOneQuoteFlag unpricedInd RFQFlag quoteRejectedFlag institutionFlag".split()
)
_PRICES: Final = frozenset("price displayPrice workingPrice nbbPrice nboPrice netPrice bidPrice askPrice".split())
_QUANTITIES: Final = frozenset("quantity minQty displayQty nbbQty nboQty cancelQty leavesQty bidQty askQty".split())
_PAIRS: Final = frozenset({"timeInForce", "handlingInstructions"})
_LISTS: Final[dict[str, tuple[str, ...]]] = {
    "aggregatedOrders": ("orderID", "orderKeyDate", "quantity", "originatingIMID"),
    "buyDetails": ("orderKeyDate", "orderID", "side", "firmDesignatedID", "accountHolderType", "originatingIMID"),
    "sellDetails": ("orderKeyDate", "orderID", "side", "firmDesignatedID", "accountHolderType", "originatingIMID"),
    "clientDetails": ("orderKeyDate", "orderID", "side", "firmDesignatedID", "accountHolderType", "originatingIMID"),
    "firmDetails": ("orderKeyDate", "orderID", "side", "firmDesignatedID", "accountHolderType", "originatingIMID"),
}
_LENGTHS: Final = {"symbol": 14, "firmDesignatedID": 40, "session": 40, "type": 5, "CATReporterIMID": 7, "seqNum": 40}
LINE_BYTES_MAX: Final = 8190

_HEAD = "actionType! errorROEID firmROEID! type! CATReporterIMID!"
_ORDER = f"{_HEAD} orderKeyDate! orderID! symbol!"
_MARKET = "nbbPrice nbbQty nboPrice nboQty nbboSource nbboTimestamp"
_ATS = f"seqNum atsDisplayInd displayPrice workingPrice displayQty atsOrderType {_MARKET}"
_CHILD_ATS = f"seqNum atsDisplayInd displayPrice workingPrice displayQty {_MARKET}"
_TERMS = "side! price quantity! minQty orderType! timeInForce! tradingSession!"
_ROUTE = "originatingIMID eventTimestamp! manualFlag! electronicDupFlag! electronicTimestamp senderIMID! destination!"
_ROUTED = "routeRejectedFlag! dupROIDCond! seqNum multiLegInd! pairedOrderID infoBarrierID netPrice quoteKeyDate quoteID"

_LAYOUTS: Final = {
    "MENO": f"{_ORDER} eventTimestamp! manualFlag! electronicDupFlag! electronicTimestamp manualOrderKeyDate manualOrderID "
    f"deptType! solicitationFlag! RFQID {_TERMS} handlingInstructions custDspIntrFlag! firmDesignatedID! accountHolderType! "
    f"affiliateFlag! infoBarrierID aggregatedOrders negotiatedTradeFlag! representativeInd! {_ATS} netPrice BFMMFlag",
    "MEOA": f"{_ORDER} eventTimestamp! manualFlag! electronicDupFlag! electronicTimestamp receiverIMID! senderIMID! senderType! "
    f"routedOrderID! manualOrderKeyDate manualOrderID affiliateFlag! deptType! {_TERMS} isoInd! handlingInstructions "
    f"custDspIntrFlag! infoBarrierID {_ATS} netPrice",
    "MEOR": f"{_ORDER} {_ROUTE} destinationType! routedOrderID! session {_TERMS} affiliateFlag! isoInd! handlingInstructions "
    f"{_ROUTED}",
    "MEMR": f"{_ORDER} {_ROUTE} destinationType! routedOrderID! priorRoutedOrderID! session {_TERMS} affiliateFlag! isoInd! "
    f"handlingInstructions {_ROUTED}",
    "MECR": f"{_ORDER} {_ROUTE} destinationType! routedOrderID! session cancelQty! routeRejectedFlag! dupROIDCond! seqNum "
    "multiLegInd!",
    "MECO": f"{_ORDER} parentOrderKeyDate! parentOrderID! originatingIMID eventTimestamp! {_TERMS} handlingInstructions "
    f"{_CHILD_ATS} netPrice",
    "MECOM": f"{_ORDER} priorOrderKeyDate priorOrderID originatingIMID eventTimestamp! side! price quantity! minQty leavesQty! "
    f"orderType! timeInForce! tradingSession! handlingInstructions {_CHILD_ATS} netPrice",
    "MECOC": f"{_ORDER} originatingIMID eventTimestamp! side! cancelQty! leavesQty! retired13 seqNum",
    "MEOM": f"{_ORDER} priorOrderKeyDate priorOrderID originatingIMID eventTimestamp! manualFlag! manualOrderKeyDate "
    "manualOrderID electronicDupFlag! electronicTimestamp receiverIMID senderIMID senderType routedOrderID requestTimestamp "
    f"retired23 retired24 retired25 initiator! side! price quantity! minQty leavesQty! orderType! timeInForce! tradingSession! "
    f"isoInd handlingInstructions custDspIntrFlag! infoBarrierID aggregatedOrders representativeInd! {_ATS} netPrice",
    "MEOC": f"{_ORDER} originatingIMID eventTimestamp! manualFlag! electronicTimestamp cancelQty! leavesQty! initiator! seqNum "
    "requestTimestamp",
    "MEOT": f"{_HEAD} tradeKeyDate! tradeID! symbol! eventTimestamp! manualFlag! electronicTimestamp cancelFlag! cancelTimestamp "
    "quoteKeyDate quoteID quantity! price! capacity! tapeTradeID marketCenterID sideDetailsInd! buyDetails sellDetails "
    f"reportingExceptionCode seqNum {_MARKET} infoBarrierID clearingFirm counterparty multiLegInd!",
    "MEOF": f"{_HEAD} fillKeyDate! fulfillmentID! symbol! eventTimestamp! manualFlag! electronicTimestamp fulfillmentLinkType! "
    "cancelFlag! cancelTimestamp quantity! price! capacity! clientDetails! firmDetails",
    "MENQ": f"{_HEAD} quoteKeyDate! quoteID! symbol! retired9 retired10 eventTimestamp! seqNum retired13 retired14 retired15 "
    "onlyOneQuoteFlag! bidPrice bidQty askPrice askQty firmDesignatedID accountHolderType unsolicitedInd retired24 retired25 "
    "bidRelativePrice askRelativePrice unpricedInd representativeQuoteInd askAggregatedOrders bidAggregatedOrders",
    "MEPA": f"{_HEAD} allocationKeyDate! allocationID! symbol! eventTimestamp! cancelFlag! cancelTimestamp quantity! price! "
    "side! firmDesignatedID! clearingFirm institutionFlag tradeDate! settlementDate allocationType DVPCustodianID "
    "correspondentCRD newOrderFDID allocationInstructionTime retired25 accountHolderType!",
}  # fmt: skip
VERIFIED: Final = frozenset({"MENO", "MEOR", "MEOT"})  # positions by the specification; of the others to be verified


class Field(NamedTuple):
    """One field of a layout. kind: text, choice, timestamp, date, boolean, price, quantity, pairs, list, retired."""

    name: str
    required: bool
    kind: str


def _field(word: str) -> Field:
    name, required = word.rstrip("!"), word.endswith("!")
    for kind, names in (
        ("choice", _CHOICES), ("timestamp", _TIMESTAMPS), ("date", _DATES), ("boolean", _BOOLEANS), ("price", _PRICES),
        ("quantity", _QUANTITIES), ("pairs", _PAIRS), ("list", _LISTS),
    ):  # fmt: skip
        if name in names:
            return Field(name, required, kind)
    return Field(name, required, "retired" if name.startswith("retired") else "text")


LAYOUTS: Final[dict[str, tuple[Field, ...]]] = {
    code: tuple(_field(word) for word in words.split()) for code, words in _LAYOUTS.items()
}


def list_columns(name: str) -> tuple[str, ...]:
    """The fields of one element of a list field, in the order of CSV."""
    return _LISTS[name]


# ------------------------------------------------------------------------------------------- the JSON Schema

_TEXT: Final = r"^[ !#-+\--?A-{}~]*$"  # printable ASCII without the delimiters , | " @
_TIME: Final = {
    "oneOf": [
        {"type": "string", "pattern": r"^[0-9]{8}[T ][0-9]{6}(\.[0-9]{3}([0-9]{1,6})?)?$"},
        {"type": "integer", "minimum": 10**17},
    ]
}


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of one record, for every type that there is a layout of."""
    rules = [{"if": _is(code), "then": {"$ref": f"#/$defs/{code}"}} for code in LAYOUTS]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "CAT order events, by the Industry Member specifications v4.1.0r15",
        "$comment": "Engineering material, not legal advice. Made from the layouts of the exporter: verify it.",
        "type": "object",
        "required": ["type"],
        "properties": {"type": {"enum": list(LAYOUTS)}},
        "allOf": rules,
        "$defs": {code: _of_type(fields) for code, fields in LAYOUTS.items()},
    }


def _is(code: str) -> dict[str, Any]:
    return {"properties": {"type": {"const": code}}, "required": ["type"]}


def _of_type(fields: Iterable[Field]) -> dict[str, Any]:
    known = [field for field in fields if field.kind != "retired"]
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [field.name for field in known if field.required],
        "properties": {field.name: _value(field) for field in known},
        "if": {"properties": {"orderType": {"const": "LMT"}}, "required": ["orderType"]},
        "then": {"required": ["price"]},
    }


def _value(field: Field) -> dict[str, Any]:
    match field.kind:
        case "choice":
            return {"enum": list(_CHOICES[field.name])}
        case "timestamp":
            return _TIME
        case "date":
            return {"type": "integer", "minimum": 10_000_101, "maximum": 99_991_231}
        case "boolean":
            return {"type": "boolean"}
        case "price":
            return {"type": "number", "exclusiveMaximum": 10**10}
        case "quantity":
            return {"type": "number", "minimum": 0, "exclusiveMaximum": 10**12}
        case "pairs":
            return {"type": "object", "minProperties": 1}
        case "list":
            columns = {name: _value(_field(name)) for name in _LISTS[field.name]}
            item = {"type": "object", "additionalProperties": False, "properties": columns, "required": ["side"]}
            return {"type": "array", "minItems": 1, "items": item if "side" in columns else {"type": "object"}}
        case _:
            length = _LENGTHS.get(field.name, 64)
            extra = {"pattern": r"^[0-9]{8}_.+$"} if field.name == "firmROEID" else {"pattern": _TEXT}
            return {"type": "string", "minLength": 1, "maxLength": length, **extra}
