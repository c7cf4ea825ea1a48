"""A rules repository to start from: the files in `template/`, and where each of them goes.

Its own check and test are green; a test of ours holds them to that.
"""

from __future__ import annotations

from pathlib import Path

TEMPLATE = Path(__file__).with_name("template")

# File of the template -> path in the new repository. Names that begin with a dot would be
# hidden here too, where people look for them.
FILES = {
    "README.md": "README.md",
    "hosts/disk-nearly-full.yml": "hosts/disk-nearly-full.yml",
    "hosts/disk-nearly-full.test.yml": "hosts/disk-nearly-full.test.yml",
    "hosts/host-silent.yml": "hosts/host-silent.yml",
    "hosts/host-silent.test.yml": "hosts/host-silent.test.yml",
    "services/requests-fail.yml": "services/requests-fail.yml",
    "services/requests-fail.test.yml": "services/requests-fail.test.yml",
    "routes.yml": "routes.yml",
    "overrides.yml": "overrides.yml",
    "github.yml": ".github/workflows/rules.yml",
    "gitlab.yml": ".gitlab-ci.yml",
}
