"""FIX: the gateway process around the engine, the desk's link to it, and the translation between text and domain."""
