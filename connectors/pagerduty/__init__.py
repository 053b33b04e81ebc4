"""PagerDuty: incidents of services, with their reopenings and merges."""

from connectors.pagerduty.connector import PagerDuty

__all__ = ["PagerDuty"]
