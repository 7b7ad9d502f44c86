"""What a gateway is told: its sessions and directories; and the engine's settings made from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from adapters.fix.own_dictionary import own_dictionary
from domain.errors import ConfigError
from domain.session_rules import NO_RULES, SessionRules

Environment = Literal["PAPER", "LIVE"]
Lever = Literal["mass_cancel", "logout"]
TOLD: Final = ("client", "dropcopy")  # roles of peers that reports go to: they connect to us
ANY_HOST: Final = ".".join("0000")  # an acceptor's peer may come from anywhere
_FOLDER: Final = Path(__file__).parent / "dictionaries"
DICTIONARY: Final = _FOLDER / "FIX44.xml"
DEFAULT_APPL_VER_ID: Final = "9"  # 5.0SP2: what a FIXT session speaks
# A session's BeginString: the dictionary of its session messages, and that of its application messages.
DICTIONARIES: Final[Mapping[str, tuple[Path, Path]]] = {
    "FIX.4.2": (_FOLDER / "FIX42.xml", _FOLDER / "FIX42.xml"),
    "FIX.4.4": (DICTIONARY, DICTIONARY),
    "FIXT.1.1": (_FOLDER / "FIXT11.xml", _FOLDER / "FIX50SP2.xml"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionConfig:
    """One FIX session, seen from our side.

    Attributes:
        name: ours, unique: streams and references carry it for ever.
        role: client: an OMS sends us orders; venue: we send orders; marketdata: we subscribe to prices; dropcopy: it is
            told what clients are told, and sends nothing.
        kind: acceptor: we listen; initiator: we connect.
        begin_string: FIX.4.2, FIX.4.4, or FIXT.1.1, which here means application messages of 5.0SP2.
        reset: continue: numbering goes on until the peer asks otherwise; logon: it starts at 1 at every logon.
        symbols: what a marketdata session subscribes to.
        host: where an initiator connects. The engine listens on every interface, so for an acceptor it is the peer
            that may connect when allowed_addresses is empty; "0.0.0.0" lets any.
        allowed_addresses: for an acceptor, the peers that may connect.
        list_tags: fields that an order in a list (35=E) may have beside those of the dictionary: the users' own.
        levers: what the kill switch can do at a venue beside canceling order by order: mass_cancel (35=q), logout (at PANIC).
        reconnect_interval_s: an initiator's wait before its second attempt; it doubles with each that fails.
    """

    name: str
    role: Literal["client", "venue", "marketdata", "dropcopy"]
    kind: Literal["acceptor", "initiator"]
    sender_comp_id: str
    target_comp_id: str
    host: str = "127.0.0.1"
    port: int = 0
    begin_string: str = "FIX.4.4"
    heart_bt_int_s: int = 30
    reset: Literal["continue", "logon"] = "continue"
    environment: Environment = "PAPER"
    symbols: tuple[str, ...] = ()
    allowed_addresses: tuple[str, ...] = ()
    reconnect_interval_s: int = 1
    rules: SessionRules = NO_RULES
    levers: tuple[Lever, ...] = ()
    list_tags: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayConfig:
    """One gateway process.

    Attributes:
        directory: where it keeps spool, live orders, counters and the engine's store; owned by one gateway.
        link_path: Unix socket for the desk.
        control_path: Unix socket for cancel-all, health and sessions, JSON lines.
        hello_wait_s: how long a start waits for a desk's watermarks before it goes on without.
        logout_wait_s: how long an ordered stop waits between logout and stopping the engine.
        house_accounts: whose positions a PANIC may flatten; orders for any other account never pass as that.
        build: digest of its code; a desk of another one must bring the word that one of the two may be mixed.
        wire_days: how many days back raw messages are kept in the wire journal; 0 keeps all.
    """

    directory: Path
    link_path: Path
    control_path: Path
    sessions: tuple[SessionConfig, ...]
    environment: Environment = "PAPER"
    hello_wait_s: float = 3.0
    logout_wait_s: float = 1.5
    wire_days: int = 30
    house_accounts: tuple[str, ...] = ()
    build: str = ""

    def check(self) -> None:
        """Raises ConfigError, in one sentence, for what cannot be run."""
        if not self.sessions:
            raise ConfigError("the gateway has no FIX session")
        if self.wire_days < 0:
            raise ConfigError(f"the wire journal cannot be kept for {self.wire_days} days: 0 keeps all")
        names = [session.name for session in self.sessions]
        peers = [(s.begin_string, s.sender_comp_id, s.target_comp_id) for s in self.sessions]
        for session in self.sessions:
            check_session(session, self.environment)
        for what, values in (("name", names), ("pair of CompIDs", peers)):
            if len(set(values)) != len(values):
                raise ConfigError(f"two FIX sessions have the same {what}")


def check_session(session: SessionConfig, environment: Environment) -> None:
    """Raises ConfigError, in one sentence, for a session that cannot be run."""
    where = f"FIX session {session.name}"
    if session.environment != environment:
        raise ConfigError(f"{where} is {session.environment} but this gateway is {environment}")
    if session.begin_string not in DICTIONARIES:
        raise ConfigError(f"{where}: {session.begin_string} is not spoken here, only {', '.join(DICTIONARIES)}")
    if session.role == "marketdata" and session.begin_string != "FIX.4.4":
        raise ConfigError(f"{where}: market data is read in FIX.4.4 only")
    if not 0 < session.port < 65536:
        raise ConfigError(f"{where}: {session.port} is not a port")
    if not 1 <= session.heart_bt_int_s <= 3600:
        raise ConfigError(f"{where}: a heartbeat interval of {session.heart_bt_int_s} s is not between 1 and 3600")
    if session.role in TOLD and session.kind != "acceptor":
        raise ConfigError(f"{where}: a client connects to us, so its kind must be acceptor")
    if session.role != "marketdata" and session.symbols:
        raise ConfigError(f"{where}: only a marketdata session has symbols")
    if session.levers and session.role != "venue":
        raise ConfigError(f"{where}: only a venue session has levers of the kill switch")
    if "mass_cancel" in session.levers and session.begin_string == "FIX.4.2":
        raise ConfigError(f"{where}: FIX.4.2 has no mass cancel (35=q)")
    session.rules.check(where)
    for value in (session.sender_comp_id, session.target_comp_id, session.host, *session.symbols):
        if not value or not value.isprintable():
            raise ConfigError(f"{where}: {value!r} cannot be used in a setting")


def settings_text(sessions: Sequence[SessionConfig], store: Path) -> str:
    """The engine's settings file for these sessions. Dictionaries of a session's own are written beside the store."""
    lines = [
        "[DEFAULT]",
        f"FileStorePath={store}",
        "StartTime=00:00:00",
        "EndTime=00:00:00",
        "NonStopSession=Y",
        "UseDataDictionary=Y",
        "ValidateUserDefinedFields=N",
        "SocketNodelay=Y",
        "SocketReuseAddress=Y",
        "LogonTimeout=5",
        "LogoutTimeout=2",
    ]
    for session in sessions:
        lines += [*_session_lines(session, store.parent / "dictionaries"), *_tls_lines(session)]
    return "\n".join(lines) + "\n"


def _session_lines(session: SessionConfig, folder: Path) -> list[str]:
    lines = [
        "[SESSION]",
        f"ConnectionType={session.kind}",
        f"BeginString={session.begin_string}",
        f"SenderCompID={session.sender_comp_id}",
        f"TargetCompID={session.target_comp_id}",
        f"HeartBtInt={session.heart_bt_int_s}",
        f"ResetOnLogon={'Y' if session.reset == 'logon' or session.role == 'marketdata' else 'N'}",
        f"PersistMessages={'N' if session.role == 'marketdata' else 'Y'}",
        *_dictionary_lines(session, folder),
    ]
    if session.kind == "acceptor":
        lines.append(f"SocketAcceptPort={session.port}")
        allowed = session.allowed_addresses or (() if session.host == ANY_HOST else (session.host,))
        if allowed:
            lines.append(f"AllowedRemoteAddresses={','.join(allowed)}")
    else:
        lines += [
            f"SocketConnectHost={session.host}",
            f"SocketConnectPort={session.port}",
            f"ReconnectInterval={session.reconnect_interval_s}",
            "AllowUnknownMsgFields=Y",  # a venue's own fields are no reason to refuse its reports
        ]
    return lines


def _dictionary_lines(session: SessionConfig, folder: Path) -> list[str]:
    transport, published = DICTIONARIES[session.begin_string]
    application = own_dictionary(folder, published, session.list_tags)
    if transport == published:
        return [f"DataDictionary={application}"]
    return [
        f"TransportDataDictionary={transport}",
        f"AppDataDictionary={application}",
        f"DefaultApplVerID={DEFAULT_APPL_VER_ID}",
    ]


def _tls_lines(session: SessionConfig) -> list[str]:
    rules = session.rules
    if not rules.tls:
        return []
    side = "Server" if session.kind == "acceptor" else "Client"
    named = {
        f"{side}CertificateFile": rules.tls_certificate,
        f"{side}CertificateKeyFile": rules.tls_key,
        "CertificationAuthoritiesFile": rules.tls_ca,
    }
    # 2: the peer must show a certificate that the authority has signed. An acceptor without an authority asks for none.
    level = 2 if rules.tls_ca else 0
    lines = [f"{name}={path}" for name, path in named.items() if path]
    return [*lines, f"CertificateVerifyLevel={level}", "SSLProtocol=+TLSv1_2 +TLSv1_3"]
