"""CDEvents of every released version, and the deployment calls of other products, from files."""

from connectors.cdevents.connector import CDEvents
from connectors.cdevents.options import CDEventsOptions

__all__ = ["CDEvents", "CDEventsOptions"]
