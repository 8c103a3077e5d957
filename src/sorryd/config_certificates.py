"""The certificates of a site in sorryd.ini, each with its private key."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from sorryd import config_tls as pem
from sorryd.config_keys import Keys
from sorryd.config_values import BadValue
from sorryd.model import Certificate, Listen

SELF_SIGNED: Final = "self-signed"  # the word for a certificate that sorryd makes

_Chains = Sequence[tuple[int, pem.Chain]]
_Private = Sequence[tuple[int, pem.Key]]


def certificates(
    site: str, keys: Keys, state: str, listeners: Sequence[tuple[int, Listen]]
) -> tuple[Certificate, ...]:
    """What a site shows, in the order of the file.

    One of our own has its paths already, beside the journal (`state`); it is made at the start.
    """
    needs = next((line for line, listen in listeners if listen.tls), None)
    if needs is not None and not keys.has("certificate"):
        keys.fault("listen", "tls needs a certificate (a file, or self-signed)", needs)
    written = keys.lines("certificate", str)
    own = [line for line, text in written if text == SELF_SIGNED]
    if own:
        return _self_signed(site, keys, state, own[0], alone=len(written) == 1)
    chains = keys.lines("certificate", lambda text: pem.chain(keys.absolute(text)))
    private = keys.lines("private_key", lambda text: pem.private_key(keys.absolute(text)))
    if private and not written:
        keys.fault("private_key", "there is no certificate for it")
        return ()
    _check_private(keys, chains, private)
    _check_twins(keys, chains)
    return tuple(_with_key(keys, line, chain, private) for line, chain in chains)


def _self_signed(
    site: str, keys: Keys, state: str, line: int, *, alone: bool
) -> tuple[Certificate, ...]:
    if not alone:
        keys.fault("certificate", "self-signed stands alone, without other certificates", line)
    if keys.has("private_key"):
        keys.fault("private_key", "a self-signed certificate has its own")
    own = os.path.join(os.path.dirname(state), f"{SELF_SIGNED}-{site}")
    return (Certificate(chain=f"{own}.pem", key=f"{own}.key", self_signed=True),)


def _check_private(keys: Keys, chains: _Chains, private: _Private) -> None:
    """Note keys that belong to no certificate, unless it may be one that could not be read."""
    if not keys.is_sound("certificate"):
        return
    for line, key in private:
        if not any(key.is_of(chain.certificates[0]) for _, chain in chains):
            whose = chains[0][1].path if len(chains) == 1 else "any certificate here"
            keys.fault("private_key", f"{key.path}: its private key is not that of {whose}", line)


def _check_twins(keys: Keys, chains: _Chains) -> None:
    """Note certificates of one kind for the same names: only one of them could be shown."""
    lines: dict[tuple[pem.Kind, frozenset[str]], int] = {}
    for line, chain in chains:
        first = lines.setdefault((chain.kind, chain.names), line)
        if first != line:
            text = f"{chain.path}: {chain.kind}, and for the same names as that of line {first}"
            keys.fault("certificate", text, line)


def _with_key(keys: Keys, line: int, chain: pem.Chain, private: _Private) -> Certificate:
    """A certificate with the line of `private_key` that is its own, else that in its file."""
    leaf = chain.certificates[0]
    mine = next((each for each in private if each[1].is_of(leaf)), None)
    try:
        if mine is not None:
            pem.check_pair(chain, mine[1])
        elif keys.is_sound("private_key"):  # else the one that is wrong may be for this one
            pem.check_pair(chain, _key_of_chain(chain))
    except BadValue as bad:
        keys.fault("certificate", str(bad), line)
    return Certificate(chain=chain.path, key=None if mine is None else mine[1].path)


def _key_of_chain(chain: pem.Chain) -> pem.Key:
    try:
        return pem.private_key(chain.path)
    except BadValue as bad:
        raise BadValue(f"{bad} (is it in another file? name that as private_key)") from None
