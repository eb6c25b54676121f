#!/bin/sh
# Databricks' own SDK against the simulator that was built.
here="${top_srcdir:-.}/tests/simulator/sdk"
if [ ! -d "$here/node_modules/@databricks/sdk-experimental" ]; then
	echo "The SDK is not installed: npm ci --prefix tests/simulator/sdk" >&2
	exit 1
fi
node "$here/sdk.test.cjs" && node "$here/access.test.cjs" && exec node "$here/scim.test.cjs"
