"""``twistd sorryd``."""

from twisted.application.service import ServiceMaker

sorryd = ServiceMaker(
    "sorryd",
    "sorryd.service",
    "A reverse proxy that plans, keeps and ends maintenance on its own.",
    "sorryd",
)
