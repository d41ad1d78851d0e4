"""Why a jar cannot be had; each error says what, where, and how it is mended, and never a secret.

    ArtifactError           anything below; `retryable` says whether it may pass by itself
    ├── InvalidUri          jarURI is not one that can be fetched                        no
    ├── RefusedScheme       its scheme, or that of a redirect, is not allowed            no
    ├── RefusedHost         its host has an address that the policy forbids              no
    ├── NoFetcher           nothing that is installed reads this scheme                  no
    ├── BadRedirect         redirects without end, or to nowhere                         no
    ├── TooLarge            larger than a jar may be, or than the disk                   no
    ├── NotAJar             a web page, an error document, ... in the place of a jar     no
    ├── WrongChecksum       not the content that `#sha256=` pins                         no
    ├── Unreachable         no such host, no connection, no TLS                          yes
    ├── Denied              the server wants other credentials                           yes
    ├── Missing             there is nothing at that place                               yes
    ├── BadAnswer           any other answer that is not a file                          yes
    ├── TooSlow             stalled, slower than the least speed, or out of time         yes
    ├── CutOff              it ends too early, every time                                yes
    └── DiskTrouble         the operator's own disk: full, missing, not writable         yes

"No" means that only a change of the resource or of the operator's configuration mends it: until then
the same attempt ends the same way. "Yes" includes what somebody else has to mend, such as a jar that is
not published yet: it is worth another try, with growing pauses.
"""

from typing import ClassVar


class ArtifactError(Exception):
    """A jar that cannot be had.

    Attributes:
        where: the jar's place, without credentials, query and fragment.
        cause: what is wrong.
        remedy: a sentence that says what to do.
    """

    retryable: ClassVar[bool] = False

    def __init__(self, where: str, cause: str, remedy: str) -> None:
        super().__init__(f"Cannot fetch the jar {where}: {cause}. {remedy}")
        self.where = where
        self.cause = cause
        self.remedy = remedy


class InvalidUri(ArtifactError):  # noqa: N818 - these names say what is wrong with what
    """The URI cannot be read, or lacks something."""


class RefusedScheme(ArtifactError):  # noqa: N818
    """The scheme is not in `user.artifacts.allowed-schemes`."""


class RefusedHost(ArtifactError):  # noqa: N818
    """The host is, or resolves to, an address that jars are not fetched from."""


class NoFetcher(ArtifactError):  # noqa: N818
    """The scheme is allowed, but nothing that is installed reads it."""


class BadRedirect(ArtifactError):  # noqa: N818
    """The server sends the operator on without end, or to no place at all."""


class TooLarge(ArtifactError):  # noqa: N818
    """More bytes than allowed, announced or received."""


class NotAJar(ArtifactError):  # noqa: N818
    """The content is something else."""


class WrongChecksum(ArtifactError):  # noqa: N818
    """The content is not the one that the URI pins."""


class Unreachable(ArtifactError):  # noqa: N818
    """No connection to the server."""

    retryable = True


class Denied(ArtifactError):  # noqa: N818
    """The server, or the file's owner, lets the operator not read it."""

    retryable = True


class Missing(ArtifactError):  # noqa: N818
    """There is nothing at that place."""

    retryable = True


class BadAnswer(ArtifactError):  # noqa: N818
    """The server answers, but not with a file."""

    retryable = True


class TooSlow(ArtifactError):  # noqa: N818
    """The time for the jar ran out, in whole or between bytes."""

    retryable = True


class CutOff(ArtifactError):  # noqa: N818
    """The content ends before its end."""

    retryable = True


class DiskTrouble(ArtifactError):  # noqa: N818
    """The operator cannot keep the jar."""

    retryable = True
