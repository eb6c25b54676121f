#!/bin/sh
# Runs lag.test.mjs beside it on the simulator that was built.
exec node "${top_srcdir:-.}/tests/simulator/lag.test.mjs"
