#!/bin/sh
# Runs scim.test.mjs beside it on the simulator that was built.
exec node "${top_srcdir:-.}/tests/simulator/scim.test.mjs"
