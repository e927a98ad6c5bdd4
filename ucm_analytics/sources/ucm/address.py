"""Where a PBX answers: the forms in which people write its address."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from ucm_analytics.errors import PlainHTTP, SettingError

PORT = 8089
_HINT = "write it as 192.0.2.10, 192.0.2.10:8089 or https://192.0.2.10:8089"


@dataclass(frozen=True)
class Address:
    """Host, port and path of a PBX's HTTPS API."""

    host: str
    port: int
    path: str = "/api"

    @classmethod
    def of(cls, url: str) -> Address:
        """Address of `url`; the port is 8089 where none is given.

        Raises
        ------
        PlainHTTP
            The URL starts with ``http://``.
        SettingError
            The text is no address of a PBX.

        Examples
        --------
        >>> Address.of("192.0.2.10")
        Address(host='192.0.2.10', port=8089, path='/api')
        >>> str(Address.of("https://pbx.example.org:8443/api"))
        'pbx.example.org:8443'
        """
        text = url.strip()
        try:
            parts = urlsplit(text if "://" in text else f"https://{text}")
            host, port = parts.hostname, parts.port
        except ValueError:
            raise SettingError("the address of the PBX is no address", hint=_HINT) from None
        if "@" in parts.netloc:
            raise SettingError("the address of the PBX carries a user or a password", hint=_HINT)
        if not host or any(c.isspace() for c in host):
            raise SettingError(f"{url!r} is no address of a PBX", hint=_HINT)
        if parts.scheme == "http":
            raise PlainHTTP(
                f"{url} is plain HTTP, which would show the records to everybody on the way",
                hint="write https:// and set the protocol to HTTPS under System Settings > HTTP Server",
            )
        if parts.scheme != "https":
            raise SettingError(f"{url!r} is no https:// address", hint=_HINT)
        path = parts.path.rstrip("/") or "/api"
        if path not in ("/api", "/api/v1"):
            raise SettingError(f"{url!r} has a path that is not the API's", hint=_HINT)
        return cls(host, port or PORT, path)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """URL that requests are posted to."""
        return f"https://{self}{self.path}"
