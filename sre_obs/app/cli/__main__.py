"""`python -m sre_obs.app.cli`: the same as `sre-obs`, for an interpreter that is named."""

from sre_obs.app.cli import main

main()
