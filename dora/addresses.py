"""From any address of a repository to the one name that every source knows it by."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_SCP = re.compile(r"(?:[^@/]+@)?(?P<host>[^:/\\]{2,}):(?!//)(?P<path>.+)")
_BARE = re.compile(r"(?P<host>[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)/(?P<path>[^/\s]+/[^\s]+)")
_CREDENTIALS = re.compile(r"://[^/@\s]*@")
_ALIASES = {
    "ssh.github.com": "github.com",
    "www.github.com": "github.com",
    "altssh.gitlab.com": "gitlab.com",
    "altssh.bitbucket.org": "bitbucket.org",
}


def host_and_path(address: str) -> tuple[str, str] | None:
    """Where a remote is, without user, password and port; None for a folder of this machine."""
    if "://" in address:
        parts = urlsplit(address)
        host, path = (parts.hostname or "", parts.path) if parts.scheme != "file" else ("", "")
    else:
        match = _SCP.fullmatch(address)
        host, path = (match["host"].lower(), match["path"]) if match else ("", "")
    path = re.sub(r"\.git/*$", "", path.strip("/")).strip("/")
    return (_ALIASES.get(host, host), path) if host and path else None


def repository_name(address: str) -> str | None:
    """The name `host/owner/name` of an address, in any form git takes or already a name.

    None for what names no host, such as `owner/name` or a folder.
    """
    bare = _BARE.fullmatch(address.strip())
    place = host_and_path(f"https://{address.strip()}" if bare else address.strip())
    return "/".join(place) if place else None


def without_credentials(address: str) -> str:
    """A web address without the user and the password that may stand in it."""
    return _CREDENTIALS.sub("://", address)
