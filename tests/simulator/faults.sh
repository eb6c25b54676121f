#!/bin/sh
# Runs faults.test.mjs beside it on the simulator that was built.
exec node "${top_srcdir:-.}/tests/simulator/faults.test.mjs"
