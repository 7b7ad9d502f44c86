"""Ed25519 keys, by the library `cryptography`."""
