"""RFC 3161 time stamps of sealed heads: an authority says that it saw a head's digest at a time.

A stamp counts only for the digest that is computed here and now from the head that it lies beside, never for a digest that was
stored with it; and only by the certificate that the configuration names, or one that was issued by it.
"""

from __future__ import annotations

import secrets
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import new as new_hash
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from adapters.anchor.der import BOOLEAN, INTEGER, NULL, OCTETS, OID, SEQUENCE, SET, TIME, Element, encode, integer, oid
from adapters.anchor.files import WormAnchor, write_once
from domain.errors import SealError
from domain.sealing import Anchored, SignedHead

TIMEOUT_S: Final = 5.0
_ANSWER_BYTES_MAX: Final = 1 << 16
_SHA256: Final = oid("2.16.840.1.101.3.4.2.1")
_HASHES: Final[dict[bytes, hashes.HashAlgorithm]] = {
    _SHA256: hashes.SHA256(),
    oid("2.16.840.1.101.3.4.2.2"): hashes.SHA384(),
    oid("2.16.840.1.101.3.4.2.3"): hashes.SHA512(),
}
_SIGNED_DATA, _TST_INFO = oid("1.2.840.113549.1.7.2"), oid("1.2.840.113549.1.9.16.1.4")
_CONTENT_TYPE, _MESSAGE_DIGEST = oid("1.2.840.113549.1.9.3"), oid("1.2.840.113549.1.9.4")
_FIRST: Final = 0xA0  # the tag of what is numbered 0
_GRANTED: Final = (0, 1)


class Stamp(NamedTuple):
    """What an authority has said."""

    time: datetime
    serial: int


class TimeStamps:
    """One authority. Raises SealError where its certificate cannot be read."""

    def __init__(self, url: str, certificate: Path) -> None:
        self._url = url
        try:
            self._pinned = x509.load_pem_x509_certificate(certificate.read_bytes())
        except (OSError, ValueError) as cause:
            raise SealError(f"the time stamp authority's certificate {certificate} cannot be read: {cause}") from cause

    def ask(self, digest: bytes) -> bytes:
        """A response over a SHA-256 digest, checked. Raises SealError."""
        nonce = secrets.randbits(63)
        request = urllib.request.Request(  # noqa: S310 (the configuration takes http and https alone)
            self._url, query(digest, nonce), {"Content-Type": "application/timestamp-query"}
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
                response: bytes = answer.read(_ANSWER_BYTES_MAX)
        except OSError as cause:
            raise SealError(f"the time stamp authority {self._url} does not answer: {cause}") from cause
        self.check(response, digest, nonce)
        return response

    def check(self, response: bytes, digest: bytes, nonce: int | None = None) -> Stamp:
        """What a response says of a digest. Raises SealError: it is of another digest, of another authority, or damaged."""
        try:
            return self._checked(response, digest, nonce)
        except (ValueError, IndexError, KeyError, InvalidSignature) as cause:
            raise SealError(f"this is no time stamp of the head: {str(cause) or 'its signature is wrong'}") from cause

    def _checked(self, response: bytes, digest: bytes, nonce: int | None) -> Stamp:
        status, *token = Element.of(response).parts(SEQUENCE)
        if status.parts(INTEGER)[0].number not in _GRANTED or not token:
            raise ValueError("the authority refused it")
        kind, content = token[0].parts(OID, _FIRST)
        signed = Element.of(content.content)
        _, _, inner, *more = signed.parts(INTEGER, SET, SEQUENCE)
        inner_kind, info_octets = inner.parts(OID, _FIRST)
        if kind.whole != _SIGNED_DATA or inner_kind.whole != _TST_INFO:
            raise ValueError("it is another kind of message")
        info = Element.of(info_octets.content).content
        stamp = _info(info, digest, nonce)
        certificates = [x509.load_der_x509_certificate(one.whole) for part in more if part.tag == _FIRST for one in part.parts()]
        self._signed(Element.of(more[-1].content), info, [self._pinned, *certificates], stamp)
        return stamp

    def _signed(self, signer: Element, info: bytes, certificates: list[x509.Certificate], stamp: Stamp) -> None:
        """Is the token signed by the pinned certificate, or one that was issued by it?"""
        parts = signer.parts(INTEGER)
        hash_, attributes, signature = _HASHES[parts[2].parts(OID)[0].whole], parts[3], parts[5]
        values = {}
        for attribute in attributes.parts():
            name, value = attribute.parts(OID, SET)
            values[name.whole] = Element.of(value.content)
        if attributes.tag != _FIRST or values[_CONTENT_TYPE].whole != _TST_INFO:
            raise ValueError("it is signed as something else")
        if values[_MESSAGE_DIGEST].content != new_hash(hash_.name, info).digest():
            raise ValueError("its signature is over another content")
        signed = encode(SET, attributes.content)
        for certificate in certificates:
            if self._trusts(certificate, stamp) and _verifies(certificate, signature.content, signed, hash_):
                return
        raise ValueError("it is not signed by the authority that the configuration names")

    def _trusts(self, certificate: x509.Certificate, stamp: Stamp) -> bool:
        if certificate != self._pinned:
            try:
                certificate.verify_directly_issued_by(self._pinned)
            except (InvalidSignature, ValueError, TypeError):
                return False
            usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
            if x509.oid.ExtendedKeyUsageOID.TIME_STAMPING not in usage:
                return False
        return certificate.not_valid_before_utc <= stamp.time <= certificate.not_valid_after_utc


def query(digest: bytes, nonce: int) -> bytes:
    """A request for a stamp over a SHA-256 digest, with the authority's certificate in the answer."""
    imprint = encode(SEQUENCE, encode(SEQUENCE, _SHA256, encode(NULL)), encode(OCTETS, digest))
    return encode(SEQUENCE, integer(1), imprint, integer(nonce), encode(BOOLEAN, b"\xff"))


def _info(info: bytes, digest: bytes, nonce: int | None) -> Stamp:
    """The statement: of this digest, and in answer to this request."""
    _, _, imprint, serial, time, *more = Element.of(info).parts(INTEGER, OID, SEQUENCE, INTEGER, TIME)
    algorithm, stamped = imprint.parts(SEQUENCE, OCTETS)
    if algorithm.parts(OID)[0].whole != _SHA256 or stamped.content != digest:
        raise ValueError("it stamps another digest than the head's")
    if nonce is not None and nonce not in [one.number for one in more if one.tag == INTEGER]:
        raise ValueError("it answers another request")
    whole = time.content.decode("ascii").removesuffix("Z").partition(".")[0]
    return Stamp(datetime.strptime(whole, "%Y%m%d%H%M%S").replace(tzinfo=UTC), serial.number)


def _verifies(certificate: x509.Certificate, signature: bytes, signed: bytes, hash_: hashes.HashAlgorithm) -> bool:
    key = certificate.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, padding.PKCS1v15(), hash_)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, signed, ec.ECDSA(hash_))
        else:
            return False
    except InvalidSignature:
        return False
    return True


class StampAnchor:
    """Heads with a time stamp beside each, in a directory."""

    complete = False

    def __init__(self, directory: Path, stamps: TimeStamps, name: str = "time stamps", every_s: float = 300.0) -> None:
        self.name = name
        self.every_s = every_s
        self._directory = directory
        self._stamps = stamps
        self._heads = WormAnchor(directory, name)

    def last(self) -> SignedHead | None:
        """The last head that was stamped."""
        return self._heads.last()

    def keep(self, anchored: Anchored) -> None:
        """Have a head stamped, and keep both."""
        if (last := self.last()) is None or anchored.head.number > last.number:
            write_once(self._path(anchored.head), self._stamps.ask(anchored.head.digest), again=True)
        self._heads.keep(anchored)

    def kept(self) -> Iterator[Anchored]:
        """Heads whose stamp is of what they are now."""
        for anchored in self._heads.kept():
            path = self._path(anchored.head)
            try:
                self._stamps.check(path.read_bytes(), anchored.head.digest)
            except (OSError, SealError) as cause:
                raise SealError(f"{path}: {cause}") from cause
            yield anchored

    def _path(self, head: SignedHead) -> Path:
        return self._directory / f"{head.number:020d}.tsr"
