#!/bin/sh
# Runs identity.test.mjs beside it on the simulator that was built.
exec node "${top_srcdir:-.}/tests/simulator/identity.test.mjs"
