"""The content coding that a client gets."""

import gzip

import brotli
import pytest

from kernel.cache.encodings import choose, compress

BODY = b'[{"id":1,"text":"Is the water warm enough?"}]' * 40


@pytest.mark.parametrize(
    ("field", "encoding"),
    [
        (b"gzip", "gzip"),
        (b"GZIP", "gzip"),
        (b"br", "br"),
        (b"gzip, deflate, br, zstd", "br"),
        (b"gzip;q=1, br;q=0.5", "gzip"),
        (b"gzip; q=0.5 ,br ;q=0.5", "br"),
        (b"*", "br"),
        (b"br;q=0, *", "gzip"),
        (b"gzip;q=0", "identity"),
        (b"gzip;q=0.000", "identity"),
        (b"*;q=0", "identity"),
        (b"identity", "identity"),
        (b"identity;q=1, gzip;q=0.5", "identity"),
        (b"identity;q=0", "identity"),
        (b"deflate, zstd, compress, snowflake", "identity"),
        (b"gzip;q=", "identity"),
        (b"gzip;q=nan", "identity"),
        (b"gzip;q=2", "identity"),
        (b"x-gzip", "identity"),
        (b"", "identity"),
        (b",;,;q=1,=", "identity"),
        (b"\xff\xfe", "identity"),
    ],
)
def test_client_gets_an_accepted_coding(field: bytes, encoding: str) -> None:
    assert choose(field) == encoding


def test_compression_is_lossless_smaller_and_deterministic() -> None:
    for encoding, decompress in (("gzip", gzip.decompress), ("br", brotli.decompress)):
        compressed = compress(BODY, encoding)  # type: ignore[arg-type]  # one of them
        assert len(compressed) < len(BODY) / 5
        assert compressed == compress(BODY, encoding)  # type: ignore[arg-type]
        assert decompress(compressed) == BODY
