#!/usr/bin/env python3
"""Checks a bundle that `ems audit export` wrote, or a proof that `ems audit prove` printed, with nothing but Python itself.

    python3 verify_bundle.py BUNDLE.tar --key PUBLIC.key [--head KEPT] [--every-signature]
    python3 verify_bundle.py --proof PROOF.json --key PUBLIC.key [--head KEPT]

PUBLIC.key: the 64 hexadecimal digits that you were given when sealing began (a file, or the digits). KEPT: heads that you kept
yourself, one JSON object a line, as the anchor's file has them. Exit 0: all of it holds. Exit 1: something does not. Exit 2: it
could not be checked. It needs Python 3.8 and imports nothing of the system that wrote the bundle: hashes are SHA-256, the tree is
that of RFC 9162, signatures are Ed25519 (RFC 8032).
"""

import argparse
import base64
import gzip
import hashlib
import json
import struct
import sys
import tarfile
import uuid
from pathlib import Path

MAGIC = b"ems-sealed-head1"
STATEMENT = struct.Struct(">16sQQ32s32s32sQ32s")
PLACE = struct.Struct(">Q16sQQH")


class Broken(Exception):
    """What was found; one sentence."""


def check(holds, sentence):
    """Stop with a sentence where something does not hold."""
    if not holds:
        raise Broken(sentence)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


# ------------------------------------------------------------------------------------ Ed25519, RFC 8032 section 5.1

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def add(a, b):
    """The sum of two points, each as X, Y, Z, T with x = X/Z, y = Y/Z, x y = T/Z."""
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    w, x, y, z = f - e, h - g, h + g, f + e
    return w * x % P, y * z % P, x * y % P, w * z % P


def times(number, point):
    """A point added to itself a number of times."""
    total = (0, 1, 1, 0)
    while number:
        if number & 1:
            total = add(total, point)
        point, number = add(point, point), number >> 1
    return total


def decoded(data):
    """A point from its 32 bytes, None where they are none."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * ROOT_OF_MINUS_ONE % P
    if x * x % P != square or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = decoded((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def ed25519(key, message, signature):
    """Is this the signature of that message by that public key?"""
    if len(key) != 32 or len(signature) != 64:
        return False
    a, r, s = decoded(key), decoded(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= ORDER:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    left, right = times(s, BASE), add(r, times(k, a))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


# ------------------------------------------------------------------------------------ the tree, RFC 9162 section 2.1


class Tree:
    """A tree that grows, as the roots of its full subtrees, the largest first."""

    def __init__(self, size=0, subtrees=()):
        check(bin(size).count("1") == len(subtrees), "the manifest's subtrees are not those of a tree of its size")
        self.size, self.full = size, list(subtrees)

    def append(self, leaf):
        self.full.append(leaf)
        size = self.size
        while size & 1:
            right = self.full.pop()
            self.full[-1] = sha256(b"\1", self.full[-1], right)
            size >>= 1
        self.size += 1

    def root(self):
        found = None
        for one in reversed(self.full):
            found = one if found is None else sha256(b"\1", one, found)
        return sha256() if found is None else found


def included(leaf, number, size, path, root):
    """Section 2.1.3.2: is this leaf the one of that number (from 0) in the tree with that root?"""
    if not 0 <= number < size:
        return False
    fn, sn, r = number, size - 1, leaf
    for p in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = sha256(b"\1", p, r)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = sha256(b"\1", r, p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == root


def consistent(old, old_root, new, new_root, path):
    """Section 2.1.4.2: is the tree of `old` leaves the beginning of the tree of `new`?"""
    if old == new:
        return not path and old_root == new_root
    if not 0 < old < new or not path:
        return False
    path = ([old_root] if old & (old - 1) == 0 else []) + list(path)
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = sha256(b"\1", c, fr), sha256(b"\1", c, sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = sha256(b"\1", sr, c)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == old_root and sr == new_root


# ------------------------------------------------------------------------------------ heads and events


class Head:
    """A signed head: the log up to one event."""

    def __init__(self, told):
        self.number, self.size, self.time_ns = told["number"], told["size"], told["time_ns"]
        names = ("root", "chain_hash", "previous", "key_id", "signature")
        self.root, self.chain_hash, self.previous, self.key_id, self.signature = (bytes.fromhex(told[name]) for name in names)
        self.statement = STATEMENT.pack(
            MAGIC, self.number, self.size, self.root, self.chain_hash, self.previous, self.time_ns, self.key_id
        )
        self.digest = sha256(self.statement, self.signature)

    def signed_by(self, key):
        check(self.key_id == sha256(key), f"head {self.number} is signed by another key")
        check(ed25519(key, self.statement, self.signature), f"head {self.number} has no valid signature")


def event_hash(told, state):
    """An event's hash over the hash before it and every stored column, lengths included."""
    topic = told["topic"].encode()
    place = PLACE.pack(told["seq"], uuid.UUID(told["stream"]).bytes, told["version"], told["recorded_time_ns"], len(topic))
    return sha256(bytes.fromhex(told["prev_hash"]), place, topic, state)


def where(told):
    return f"event {told['seq']} (stream {told['stream']}, version {told['version']})"


def leaf_of(hash_, seq):
    return sha256(b"\0", hash_, struct.pack(">Q", seq))


# ------------------------------------------------------------------------------------ a bundle


class Bundle:
    """An archive whose manifest is signed and whose files are those that the manifest names."""

    def __init__(self, tar, key):
        self.tar = tar
        entries = self.tar.getmembers()
        names = [entry.name for entry in entries]
        check(len(set(names)) == len(names), "the bundle has a file twice")
        check(all(entry.isfile() for entry in entries), "the bundle has something that is no file")
        for name in ("manifest.json", "manifest.sig", "heads.jsonl"):
            check(name in names, "the bundle has no file " + name)
        signed = self.read("manifest.json")
        check(ed25519(key, signed, self.read("manifest.sig")), "the manifest is not signed by the key that was given")
        self.manifest = json.loads(signed)
        files = {one["path"]: one for one in self.manifest["files"]}
        for name in sorted(set(names) - set(files) - {"manifest.json", "manifest.sig"}):
            raise Broken("the bundle has a foreign file " + name)
        for name, one in sorted(files.items()):
            check(name in names, "the bundle has no file " + name)
            check(self.digest(name) == one["sha256"], name + " is not what the manifest says")
        self.event_files = [name for name in sorted(files) if name.startswith("events/")]

    def read(self, name):
        return self.tar.extractfile(name).read()

    def digest(self, name):
        found, file = hashlib.sha256(), self.tar.extractfile(name)
        for block in iter(lambda: file.read(1 << 20), b""):
            found.update(block)
        return found.hexdigest()

    def events(self):
        for name in self.event_files:
            with gzip.open(self.tar.extractfile(name)) as lines:
                for line in lines:
                    yield json.loads(line)


def check_bundle(bundle, key, kept, every_signature):
    """All of a bundle. Returns what was checked, in a sentence."""
    said, proofs = bundle.manifest["events"], bundle.manifest["proofs"]
    heads = [Head(json.loads(line)) for line in bundle.read("heads.jsonl").splitlines()]
    for before, head in zip(heads, heads[1:]):
        linked = head.number == before.number + 1 and head.previous == before.digest and head.size > before.size
        check(linked, f"head {head.number} does not follow head {before.number}")
    for head in heads if every_signature else heads[-1:]:  # each names the one before: the last signature vouches for all
        head.signed_by(key)
    roots, last = {}, {}
    for head in heads:
        roots.setdefault(head.size, []).append((head, "of the bundle"))
    for head in kept:
        head.signed_by(key)
        roots.setdefault(head.size, []).append((head, "that you kept"))
    tree = Tree(proofs["before"]["size"], [bytes.fromhex(one) for one in proofs["before"]["subtrees"]])
    prev, seq, compared = bytes.fromhex(said["prev_hash"]), said["first_seq"] - 1, 0
    check(tree.size == seq, "the manifest's tree does not end where the events begin")

    def compare(hash_):
        """With every head of this size; hash_: of its last event, where it is known."""
        for head, whose in roots.get(tree.size, ()):
            same = head.root == tree.root() and hash_ in (None, head.chain_hash)
            check(same, f"the events up to {tree.size} are not what head {head.number} {whose} sealed")
            last[whose] = head
        return len(roots.get(tree.size, ()))

    compared += compare(None)
    for told in bundle.events():
        seq += 1
        check(told["seq"] == seq, f"where event {seq} belongs lies event {told['seq']}")
        check(bytes.fromhex(told["prev_hash"]) == prev, where(told) + " does not continue the one before")
        prev = event_hash(told, base64.b64decode(told["state"], validate=True))
        check(told["hash"] == prev.hex(), where(told) + " is not what was recorded: its hash differs")
        tree.append(leaf_of(prev, seq))
        compared += compare(prev)
    check(seq == said["last_seq"], f"the events end at {seq}, the manifest says {said['last_seq']}")
    check(prev.hex() == said["hash"], "the last event's hash is not the manifest's")
    check(tree.root().hex() == proofs["root"], "the tree's root is not the manifest's")
    for one in proofs["after"]:
        tree.append(bytes.fromhex(one))
        compared += compare(None)
    for head in heads:
        check(tree.size >= head.size, f"head {head.number} is of more events than the bundle has")
    check(not kept or "that you kept" in last, "none of the heads that you kept lies within this bundle: ask for another day")
    text = f"{said['count']} events ({said['first_seq']} to {seq}), {len(bundle.manifest['files'])} files"
    if "of the bundle" not in last:
        return text + ": the chain and the manifest hold; NO SIGNED HEAD vouches for these events"
    return f"{text}, {compared} heads compared, the last is head {heads[-1].number} of {heads[-1].size} events"


# ------------------------------------------------------------------------------------ a proof


def check_proof(path, key, kept):
    """That one event is in the log. Returns what was checked, in a sentence."""
    told = json.loads(Path(path).read_text("utf-8"))
    event, first, last = told["event"], Head(told["head"]), Head(told["last_head"])
    check(event_hash(event, bytes.fromhex(event["state"])).hex() == event["hash"], where(event) + " has another hash")
    for head in {first.number: first, last.number: last}.values():
        head.signed_by(key)
    leaf = leaf_of(bytes.fromhex(event["hash"]), event["seq"])
    path_in = [bytes.fromhex(one) for one in told["inclusion"]]
    check(included(leaf, event["seq"] - 1, first.size, path_in, first.root), where(event) + " is not in that head's log")
    path_on = [bytes.fromhex(one) for one in told["consistency"]]
    check(
        consistent(first.size, first.root, last.size, last.root, path_on),
        f"head {last.number} does not continue head {first.number}",
    )
    met = [head for head in kept for one in (first, last) if head.size == one.size]
    for head in met:
        head.signed_by(key)
        check(head.root in (first.root, last.root), f"the head {head.number} that you kept is of another log")
    check(not kept or met, "none of the heads that you kept is one of the two in the proof")
    return f"{where(event)} is in the log that head {first.number} seals, and head {last.number} continues it"


def read_key(text):
    path = Path(text)
    key = bytes.fromhex((path.read_text("ascii") if path.exists() else text).strip())
    if len(key) != 32:
        raise ValueError("a public key is 64 hexadecimal digits")
    return key


def read_heads(path):
    lines = Path(path).read_text("utf-8").splitlines() if path else []
    return [Head(json.loads(line)) for line in lines if line.strip()]


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("bundle", nargs="?", help="an exported bundle")
    parser.add_argument("--proof", help="a proof in place of a bundle")
    parser.add_argument("--key", required=True, help="the public key: a file, or its 64 digits")
    parser.add_argument("--head", help="heads that you kept, one JSON object a line")
    parser.add_argument("--every-signature", action="store_true", help="check each head's signature, not the last one's alone")
    given = parser.parse_args(arguments)
    if bool(given.bundle) == bool(given.proof):
        parser.error("give a bundle or --proof")
    try:
        key, kept = read_key(given.key), read_heads(given.head)
        if given.proof:
            print("HOLDS: " + check_proof(given.proof, key, kept))
        else:
            with tarfile.open(given.bundle, "r:") as tar:
                print("HOLDS: " + check_bundle(Bundle(tar, key), key, kept, given.every_signature))
    except Broken as broken:
        print(f"BROKEN: {broken}")
        return 1
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, struct.error, tarfile.TarError) as error:
        print(f"it cannot be checked: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
