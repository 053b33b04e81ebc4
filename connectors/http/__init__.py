"""What connectors that talk HTTP share: tokens in turns, pacing, retries, waits, readers at once.

A connector puts a `Caller` together and hands it one page at a time:

    caller = Caller(tokens, patience=self.patience, pace=Pace(5), spent=Spent())
    page = caller.call(lambda token: fetch(token.value(), url), judge)

`judge` tells what an error means: `Retry`, `Wait`, `Refused` or `GiveUp`; `judging.plainly` knows
what holds for every host. `rest.Rest` is all of this for plain JSON interfaces.
"""
