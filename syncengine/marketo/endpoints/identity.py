"""The identity service, which gives the access token; apart from all else, as no other call goes without a token."""

from syncengine.marketo.call import Call
from syncengine.marketo.reply import Reply
from syncengine.marketo.rows import Token
from syncengine.marketo.rows import token as read_token


def token(client_id: str, client_secret: str) -> Call[Token]:
    """The present token of a custom service, or a new one at its end.

    A POST form keeps the secret out of the URL; the call counts against no limit.
    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/authentication
    """
    return Call(
        name="identity.token",
        method="POST",
        path="/identity/oauth/token",
        decode=decode,
        form={"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret},
        authorized=False,
    )


def decode(reply: Reply) -> Token:
    """The token in the one answer of Marketo's that has no envelope."""
    return read_token(reply.body)
