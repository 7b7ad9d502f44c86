"""`python -m ems`: the command line."""

from __future__ import annotations

from ems.cli import main

if __name__ == "__main__":
    main()
