#!/bin/sh
# Runs principals.test.mjs beside it on the simulator that was built.
exec node "${top_srcdir:-.}/tests/simulator/principals.test.mjs"
