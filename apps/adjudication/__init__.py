"""The decision core: facts in, decision out.

Pure Python: frozen dataclasses, no Django, no clock, no I/O. Money is `Decimal` yuan with two
places; dates are civil dates in Asia/Shanghai; instants are aware datetimes.
"""
