#!/bin/sh
# Runs catalog.test.mjs beside it on the simulator that was built.
exec node "${top_srcdir:-.}/tests/simulator/catalog.test.mjs"
