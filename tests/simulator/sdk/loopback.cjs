// How the SDK gets to a simulator. It speaks only to https hosts without a port, and takes for the account's host only
// one whose name begins with "accounts."; so its agent leads such names to the simulator's ports, without TLS. The
// token endpoint of a workspace is where the discovery document says, which is on loopback.
const { AsyncLocalStorage } = require('node:async_hooks');
const assert = require('node:assert/strict');
const http = require('node:http');
const https = require('node:https');
const net = require('node:net');
const { AccountClient, WorkspaceClient } = require('@databricks/sdk-experimental');

const ACCOUNT = 'accounts.databricks.example', PROD = 'prod.databricks.example', DEV = 'dev.databricks.example';
const ports = new Map();

class LoopbackAgent extends http.Agent {
	constructor() {
		super({ keepAlive: false });
		this.protocol = 'https:';
	}
	createConnection({ host }) {
		return net.connect(ports.get(host), '127.0.0.1');
	}
}
const agent = new LoopbackAgent();
https.globalAgent = agent;

// A simulator with the workspaces prod and dev: it, clients of each (prod signs in by access token, the others by
// OAuth), and how to make further clients.
async function connect(...args) {
	const { Sim } = await import('../harness.mjs');
	const sim = await Sim.start('--workspace', 'prod', '--workspace', 'dev', ...args);
	const { client_id: clientId, client_secret: clientSecret, workspaces } = sim.first;
	ports.set(ACCOUNT, new URL(sim.accountHost).port);
	ports.set(PROD, new URL(workspaces.prod.host).port);
	ports.set(DEV, new URL(workspaces.dev.host).port);
	const common = { env: {}, retryTimeoutSeconds: 5 };
	const client = (name, credentials) => new WorkspaceClient({ ...common, host: `https://${name}`, ...credentials }, { agent });
	return {
		sim, client,
		account: new AccountClient({ ...common, host: `https://${ACCOUNT}`, accountId: sim.accountId, clientId, clientSecret }, { agent }),
		prod: client(PROD, { token: workspaces.prod.token }),
		dev: client(DEV, { clientId, clientSecret }),
	};
}

// What the SDK's own fetch refuses: a PATCH with a body.
function patch(url, headers, body) {
	return new Promise((resolve, reject) => {
		const call = http.request({ port: ports.get(url.hostname), host: '127.0.0.1', method: 'PATCH', path: url.pathname + url.search,
			headers: Object.fromEntries(headers) }, (answer) => {
			let text = '';
			answer.setEncoding('utf8').on('data', (part) => { text += part; }).on('error', reject).on('end', () => resolve({
				ok: answer.statusCode < 400, status: answer.statusCode, statusText: answer.statusMessage,
				headers: new Headers(answer.headers), text: async () => text,
			}));
		});
		call.on('error', reject).end(body);
	});
}

// This version of the SDK builds queries and bodies for every call, and then sends no query but with PATCH, and with
// PATCH no body. Whoever needs them has this add them on their way out.
function sendEverything() {
	const fetching = require('@databricks/sdk-experimental/dist/fetch');
	const { ApiClient } = require('@databricks/sdk-experimental');
	const calls = new AsyncLocalStorage();
	const { request } = ApiClient.prototype, { fetch } = fetching;
	ApiClient.prototype.request = function (options, ...rest) {
		return calls.run(options, () => request.call(this, options, ...rest));
	};
	fetching.fetch = (address, init) => {
		const { query = {}, payload } = calls.getStore() ?? {}, url = new URL(address);
		url.search = new URLSearchParams(Object.entries(query)).toString();
		return init.method === 'PATCH' ? patch(url, init.headers, JSON.stringify(payload)) : fetch(url.toString(), init);
	};
}

const fails = (call, code, text) => assert.rejects(call, (error) => {
	assert.equal(error.statusCode, code, error.message);
	assert.ok(error.message.includes(text), error.message);
	return true;
});

module.exports = { ACCOUNT, DEV, PROD, connect, fails, sendEverything };
