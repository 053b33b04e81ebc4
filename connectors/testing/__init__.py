"""What every connector promises, as tests to inherit; any connector's own test is three lines.

    class TestMine(ConnectorContract):
        def make(self, folder):
            return Mine("mine", Mine.Options(url=serve(folder)), base=folder)

`make` sets up a source that has something of every type in `provides`, and gives a connector to
it; called again with the same folder it gives another connector to the same, unchanged source.
`broken`, if there is such a thing, gives a connector to a source that cannot be read.
`read` is for tests of one's own, and `Waits` for a connector that would have to wait in them.
"""

from __future__ import annotations

from connectors.testing.blocks import rows
from connectors.testing.contract import ConnectorContract
from connectors.testing.reading import Key, Reading, key_of, read
from connectors.testing.waiting import Waits

__all__ = ["ConnectorContract", "Key", "Reading", "Waits", "key_of", "read", "rows"]
