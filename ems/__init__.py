"""The services: desk, scheduler, recovery, supervisor, venue, api. They see the domain; bootstrap alone sees the wings."""
