#!/bin/sh
# Runs access.test.mjs beside it on the simulator that was built.
exec node "${top_srcdir:-.}/tests/simulator/access.test.mjs"
