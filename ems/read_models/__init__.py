"""Tables made of events: one file a topic, and one list of them all."""
