"""What is said of the first bytes of a file that is not what its name says."""

import pytest

from ftaug.data.beginning import beginning


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<html>\n<body>", "it begins with '<html>'"),
        (b"version https://git-lfs.github.com/spec/v1", "it begins with 'version https://git-lfs.'"),
        (b"PK\x03\x04\x00\x01\x02\x03\x04", "it begins with 50 4b 03 04 00 01 02 03"),
        (b"\xff\xfe\x00a" * 9, "it begins with ff fe 00 61 ff fe 00 61"),
    ],
)
def test_text_is_quoted_and_other_bytes_are_hexadecimal(data, said):
    assert beginning(data) == said
