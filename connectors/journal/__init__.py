"""Files that are only ever added to, line by line, and put away when they have grown."""

from connectors.journal.connector import JournalConnector, shown
from connectors.journal.facts import Bad, Fact, Facts, Position, Said, unpacked
from connectors.journal.files import Journal
from connectors.journal.news import News

__all__ = [
    "Bad",
    "Fact",
    "Facts",
    "Journal",
    "JournalConnector",
    "News",
    "Position",
    "Said",
    "shown",
    "unpacked",
]
