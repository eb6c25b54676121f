#!/bin/sh
# Runs tokens.test.mjs beside it on the simulator that was built.
exec node "${top_srcdir:-.}/tests/simulator/tokens.test.mjs"
