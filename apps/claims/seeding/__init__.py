"""A long history for trying things out at size: `manage.py seed`.

A dozen children are taken through their claims by the actions themselves (`originals`), and then copied
by set-based SQL with names, numbers and dates of their own (`copies`, `people`).
"""
