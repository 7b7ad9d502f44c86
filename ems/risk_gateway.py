"""The OrderGateway around the OrderGateway: no order and no replace leaves without a verdict that passed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from domain.ports import OrderGateway
from domain.sending import Outbound

_log = structlog.get_logger("risk")


class RiskGateway:
    """Port `OrderGateway`. What is not cleared is withheld and told of: the order is then in doubt, and its venue, asked,
    does not know it. Everything else of the same batch leaves, cancels above all.

    Args:
        cleared: may this message leave?
        count_error: called for each message that is withheld: it should never have come this far.
    """

    def __init__(
        self, gateway: OrderGateway, cleared: Callable[[Outbound], bool], count_error: Callable[[], None] = lambda: None
    ) -> None:
        self._gateway = gateway
        self._cleared = cleared
        self._count_error = count_error
        self.withheld = 0

    def send(self, messages: Sequence[Outbound], *, epoch: int) -> None:
        """Hand on what is cleared."""
        passing: list[Outbound] = []
        withheld: list[Outbound] = []
        for message in messages:
            (passing if self._cleared(message) else withheld).append(message)
        if withheld:
            self.withheld += len(withheld)
            for _ in withheld:
                self._count_error()
            _log.critical("withheld: no verdict that passed", messages=[repr(message) for message in withheld])
        if passing:
            self._gateway.send(passing, epoch=epoch)

    def acknowledge(self, frame_number: int) -> None:
        """As the gateway."""
        self._gateway.acknowledge(frame_number)

    def reset(self) -> None:
        """As the gateway."""
        self._gateway.reset()
