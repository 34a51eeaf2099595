"""Signs a statement: a DSSE envelope with one Ed25519 signature."""

from __future__ import annotations

import base64

from hier_dag.audit.bundle.verify import PAYLOAD, canonical, signed_bytes
from hier_dag.registry.signing import Signer


def envelope(statement: bytes, signer: Signer) -> bytes:
    """A DSSE envelope around a statement, as canonical JSON.

    Args:
        statement: of in-toto, as it is written.
        signer: whose key signs.
    """
    signature = signer.key.sign(signed_bytes(statement))
    return canonical(
        {
            "payload": base64.b64encode(statement).decode(),
            "payloadType": PAYLOAD,
            "signatures": [{"keyid": signer.key_id, "sig": base64.b64encode(signature).decode()}],
        }
    )
