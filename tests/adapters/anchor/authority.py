"""A small RFC 3161 time stamp authority on loopback, which also lies when it is told to."""

from __future__ import annotations

import datetime as dt
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from adapters.anchor.der import INTEGER, NULL, OCTETS, SEQUENCE, SET, TIME, Element, encode, integer, oid
from adapters.anchor.stamps import _CONTENT_TYPE, _MESSAGE_DIGEST, _SHA256, _SIGNED_DATA, _TST_INFO

_ECDSA = encode(SEQUENCE, oid("1.2.840.10045.4.3.2"))
_HASH = encode(SEQUENCE, _SHA256, encode(NULL))
NOW = dt.datetime.now(dt.UTC)


class Authority:
    """A root whose certificate is pinned, and a signer that it issued. how: in what way to lie."""

    def __init__(self, directory: Path) -> None:
        self.how, self.serial = "", 0
        self._key, root = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        issued = _certificate("root", root, "root", root, stamping=False)
        self._certificates = {
            "": _certificate("stamps", self._key, "root", root, stamping=True),
            "not an authority": _certificate("stamps", self._key, "root", root, stamping=False),
        }
        self.pem = directory / "tsa.pem"
        self.pem.write_bytes(issued.public_bytes(serialization.Encoding.PEM))
        self._server = HTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, query: bytes) -> bytes:
        """A response to a request."""
        if self.how == "nonsense":
            return b"no stamps today"
        if self.how == "refused":
            return encode(SEQUENCE, encode(SEQUENCE, integer(2)))
        _, imprint, nonce, *_ = Element.of(query).parts(INTEGER, SEQUENCE, INTEGER)
        self.serial += 1
        stamped = imprint.whole if self.how != "other digest" else encode(SEQUENCE, _HASH, encode(OCTETS, bytes(32)))
        info = encode(
            SEQUENCE, integer(1), oid("1.3.6.1.4.1.99999.1"), stamped, integer(self.serial),
            encode(TIME, NOW.strftime("%Y%m%d%H%M%SZ").encode()),
            integer(nonce.number + 1) if self.how == "other nonce" else nonce.whole,
        )  # fmt: skip
        return encode(SEQUENCE, encode(SEQUENCE, integer(0)), self._token(info))

    def _token(self, info: bytes) -> bytes:
        digest = hashes.Hash(hashes.SHA256())
        digest.update(info)
        attributes = encode(SEQUENCE, _CONTENT_TYPE, encode(SET, _TST_INFO))
        attributes += encode(SEQUENCE, _MESSAGE_DIGEST, encode(SET, encode(OCTETS, digest.finalize())))
        key = ec.generate_private_key(ec.SECP256R1()) if self.how == "other key" else self._key
        signature = key.sign(encode(SET, attributes), ec.ECDSA(hashes.SHA256()))
        if self.how == "bad signature":
            info = info[:-1] + bytes([info[-1] ^ 1])
        signer = encode(
            SEQUENCE, integer(1), encode(SEQUENCE, encode(SEQUENCE), integer(1)), _HASH, encode(0xA0, attributes), _ECDSA,
            encode(OCTETS, signature),
        )  # fmt: skip
        certificate = self._certificates.get(self.how, self._certificates[""]).public_bytes(serialization.Encoding.DER)
        inner = encode(SEQUENCE, _TST_INFO, encode(0xA0, encode(OCTETS, info)))
        signed = encode(SEQUENCE, integer(3), encode(SET, _HASH), inner, encode(0xA0, certificate), encode(SET, signer))
        return encode(SEQUENCE, _SIGNED_DATA, encode(0xA0, signed))


def _handler(authority: Authority) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = authority.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    return Handler


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: str, by: ec.EllipticCurvePrivateKey, *, stamping: bool
) -> x509.Certificate:
    names = [x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, one)]) for one in (name, issuer)]
    usage = x509.oid.ExtendedKeyUsageOID.TIME_STAMPING if stamping else x509.oid.ExtendedKeyUsageOID.SERVER_AUTH
    return (
        x509.CertificateBuilder()
        .subject_name(names[0])
        .issuer_name(names[1])
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - dt.timedelta(days=1))
        .not_valid_after(NOW + dt.timedelta(days=1))
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
        .sign(by, hashes.SHA256())
    )
