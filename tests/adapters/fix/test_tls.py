"""FIX over TLS in both directions, a proxy of the standard library standing where stunnel would; and what a build lacks."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import quickfix as fix

from ems.loopback import free_port
from tests.adapters.fix.kit import AN_ORDER, GatewayProcess, started
from tests.adapters.fix.raw import RawPeer


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost that signed itself, and its key."""
    directory = tmp_path_factory.mktemp("tls")
    made, key = directory / "fix.pem", directory / "fix.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run([*command, *names, "-keyout", str(key), "-out", str(made)], check=True, capture_output=True)
    return made, key


@contextlib.asynccontextmanager
async def proxy(port: int, to: int, *, accept: ssl.SSLContext | None, connect: ssl.SSLContext | None) -> AsyncIterator[None]:
    """Carries bytes between a port and another one, encrypted on the sides that have a context."""
    writers: list[asyncio.StreamWriter] = []

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        name = "localhost" if connect else None
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", to, ssl=connect, server_hostname=name)
        except OSError:
            writer.close()
            return
        writers.extend((writer, far_writer))
        await asyncio.gather(carry(reader, far_writer), carry(far_reader, writer))

    server = await asyncio.start_server(accepted, "127.0.0.1", port, ssl=accept)
    try:
        yield
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0.05)  # the loop closes the sockets, those under TLS a round later


def side(certificate: tuple[Path, Path], *, server: bool) -> ssl.SSLContext:
    made, key = certificate
    if not server:
        return ssl.create_default_context(cafile=str(made))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(made, key)
    return context


async def test_a_client_over_tls(gateway: GatewayProcess, client: RawPeer, certificate: tuple[Path, Path]) -> None:
    """Client to proxy encrypted, as through the client's own stunnel; proxy to gateway plain."""
    ours, theirs = free_port(), free_port()
    await started(gateway)
    async with (
        proxy(ours, gateway.client_port, accept=side(certificate, server=True), connect=None),
        proxy(theirs, ours, accept=None, connect=side(certificate, server=False)),
    ):
        await client.connect(theirs)
        client.send("D", AN_ORDER.format("A1"))
        await asyncio.to_thread(gateway.wait_health, lambda health: health["spool_last"] == 1)
        await client.drop()
    await asyncio.to_thread(gateway.wait_session, "OMS", up=False)


async def test_a_client_without_tls_does_not_get_through(
    gateway: GatewayProcess, client: RawPeer, certificate: tuple[Path, Path]
) -> None:
    ours = free_port()
    await started(gateway)
    async with proxy(ours, gateway.client_port, accept=side(certificate, server=True), connect=None):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await client.connect(ours)
    assert not (await asyncio.to_thread(gateway.wait_health, lambda _: True))["sessions"]["OMS"]["up"]


async def test_a_venue_over_tls(gateway: GatewayProcess, venue: RawPeer, certificate: tuple[Path, Path]) -> None:
    """The gateway connects to a proxy on its own machine, which encrypts; the venue's side decrypts."""
    ours, theirs = free_port(), free_port()
    venue_port, gateway.config["sessions"][1]["port"] = gateway.venue_port, ours
    async with (
        proxy(theirs, venue_port, accept=side(certificate, server=True), connect=None),
        proxy(ours, theirs, accept=None, connect=side(certificate, server=False)),
    ):
        await started(gateway)
        await asyncio.to_thread(gateway.wait_session, "VENUE")
        await venue.drop()
        await asyncio.to_thread(gateway.wait_session, "VENUE", up=False)
        await asyncio.to_thread(gateway.wait_session, "VENUE")  # the numbers go on
        assert [message["34"] for message in venue.got("A")] == ["1", "2"]


class _Nobody(fix.Application):
    """No session is ever started."""

    def onCreate(self, session_id: fix.SessionID) -> None:  # noqa: N802
        """Nothing to do."""


def _has_tls() -> bool:
    settings, terms = fix.SessionSettings(), fix.Dictionary()
    said = {"ConnectionType": "acceptor", "SocketAcceptPort": "1", "StartTime": "00:00:00", "EndTime": "00:00:00"}
    for name, value in {**said, "UseDataDictionary": "N"}.items():
        terms.setString(name, value)
    settings.set(fix.SessionID("FIX.4.4", "A", "B"), terms)
    try:
        fix.SSLSocketAcceptor(_Nobody(), fix.MemoryStoreFactory(), settings)
    except fix.ConfigError as error:
        return "HAVE_SSL" not in str(error)
    return True


@pytest.mark.skipif(_has_tls(), reason="this build of QuickFIX has TLS: there is nothing to refuse")
def test_a_build_without_tls_says_what_to_do(gateway: GatewayProcess, certificate: tuple[Path, Path]) -> None:
    made, key = certificate
    gateway.config["sessions"][0]["rules"] = {"tls_certificate": str(made), "tls_key": str(key)}
    gateway.start(wait=False)
    assert gateway.wait_exit() == 2
    said = "fix gateway: FIX session OMS: this build of QuickFIX has no TLS, so let stunnel carry it as docs/fix-tls.md shows"
    assert gateway.log().splitlines()[-1] == said
