"""Whom the daemon tells. In reading order: `notices` (what is news), `outbox` (how many an hour), `redaction` (what
stays in the house), `channels`, `webhook` and `mail` (how a message leaves), `telling` (all of it together).
"""
