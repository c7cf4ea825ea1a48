"""What routes say that they can't mean: one check a file, named as its slug.

    unreachable     a route that no alert comes to
    unknown_label   a matcher on a label that no rule sets, but called almost like one

Beside them the page of each slug, also of those that loading routes can give. What does not
live here: which routes an alert takes (`route.tree`).
"""
