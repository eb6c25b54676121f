#!/bin/sh
# Runs policies.test.mjs beside it on the simulator that was built.
exec node "${top_srcdir:-.}/tests/simulator/policies.test.mjs"
