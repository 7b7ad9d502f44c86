"""What the supervisor and the desk say to each other beside the commands that are written in the log."""

from typing import Final

CONFIGURE: Final = "configure"  # the runtime's file has another configuration
