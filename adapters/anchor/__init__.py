"""Where sealed heads are kept outside of the database: `domain.ports_sealing.Anchor`."""
