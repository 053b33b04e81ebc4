"""The people behind the numbers: how long facts are kept, who is forgotten, what is kept at all.

`retention` takes out what is older than the configuration allows, `forgetting` takes out persons,
`inventory` says table by table what the store holds, what for and how long.
"""
