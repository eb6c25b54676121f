#!/bin/sh
# Runs objects.test.mjs beside it on the simulator that was built.
exec node "${top_srcdir:-.}/tests/simulator/objects.test.mjs"
