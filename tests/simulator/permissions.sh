#!/bin/sh
# Runs permissions.test.mjs beside it on the simulator that was built.
exec node "${top_srcdir:-.}/tests/simulator/permissions.test.mjs"
