#!/bin/sh
# Runs wire.test.mjs beside it on the simulator that was built.
exec node "${top_srcdir:-.}/tests/simulator/wire.test.mjs"
