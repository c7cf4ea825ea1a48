"""Tests of the house itself: its walls, its packaging, its test machinery, its manners.

They hold for rooms that do not exist yet: each looks at what there is, and a rule is shown
to bite by breaking it in a copy. What a room does is tested in the tests of that room.
"""
