"""certificate: when certificates that lie in files end. What people write; the reader is in certificate_read.py."""

from __future__ import annotations

from pydantic import Field, field_validator

from forewarn.probers.options import Options, Texts

METRICS = {"certificate_s": "time until the first certificate of the file ends; negative once it has {file, name}"}

FOUND = (
    "/etc/letsencrypt/live/*/cert.pem",
    "/etc/ssl/*.pem",
    "/etc/ssl/*.crt",
    "/etc/ssl/private/*.pem",
    "/etc/pki/tls/certs/*.crt",
    "/etc/nginx/ssl/*",
    "/etc/nginx/certs/*",
    "/etc/apache2/ssl/*",
    "/etc/haproxy/certs/*",
    "/etc/haproxy/*.pem",
    "/etc/postfix/*.pem",
    "/etc/dovecot/*.pem",
)
"""Where servers have theirs."""


class CertificateOptions(Options):
    """Options of a probe of kind certificate; all are optional."""

    files: Texts = Field(
        default=FOUND, description="files with certificates (PEM), full paths or globs; else the usual places of servers"
    )
    skip: Texts = Field(default=("*snakeoil*", "*/ca-bundle*"), description="files to leave out, globs")

    @field_validator("files")
    @classmethod
    def _whole(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for path in value:
            if not path.startswith("/"):
                raise ValueError(f'"{path}" is not a full path; write /etc/ssl/shop.pem')
        return value
