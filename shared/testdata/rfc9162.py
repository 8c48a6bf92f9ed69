"""Writes rfc9162.txt: proofs over the test tree of Certificate Transparency, for sizes 0 to 8.

An implementation of its own of RFC 9162, sections 2.1.1, 2.1.3.1 and 2.1.4.1, as recursive as the
text: it shares nothing with the one that it tests. Run it in this folder: `python3 rfc9162.py`.
"""

from hashlib import sha256

ENTRIES = [
    bytes.fromhex(entry)
    for entry in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]


def split(n):
    """The largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(d):
    if not d:
        return sha256(b"").digest()
    if len(d) == 1:
        return sha256(b"\x00" + d[0]).digest()
    k = split(len(d))
    return sha256(b"\x01" + mth(d[:k]) + mth(d[k:])).digest()


def path(m, d):
    if len(d) == 1:
        return []
    k = split(len(d))
    if m < k:
        return path(m, d[:k]) + [mth(d[k:])]
    return path(m - k, d[k:]) + [mth(d[:k])]


def subproof(m, d, complete):
    if m == len(d):
        return [] if complete else [mth(d)]
    k = split(len(d))
    if m <= k:
        return subproof(m, d[:k], complete) + [mth(d[k:])]
    return subproof(m - k, d[k:], False) + [mth(d[:k])]


with open("rfc9162.txt", "w") as out:
    for size in range(len(ENTRIES) + 1):
        d = ENTRIES[:size]
        print("root", size, mth(d).hex(), file=out)
        for index in range(size):
            print("inclusion", index, size, *(h.hex() for h in path(index, d)), file=out)
        for before in range(1, size):
            print("consistency", before, size, *(h.hex() for h in subproof(before, d, True)), file=out)
