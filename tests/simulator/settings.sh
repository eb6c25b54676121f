#!/bin/sh
# Runs settings.test.mjs beside it on the simulator that was built.
exec node "${top_srcdir:-.}/tests/simulator/settings.test.mjs"
