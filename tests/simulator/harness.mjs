// What the simulator's tests share: start one, talk to it, end it. Node 18's standard library only.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import readline from 'node:readline';
import assert from 'node:assert/strict';

const program = join(process.env.top_builddir ?? '.', 'contrib/simulator/dbx-sim');
export const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group';
export const ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error';
export const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

export async function request(method, url, { token, body, headers = {} } = {}) {
	const sent = { ...headers };
	if (token)
		sent.authorization = `Bearer ${token}`;
	if (body !== undefined && !sent['content-type'])
		sent['content-type'] = 'application/json';
	const answer = await fetch(url, {
		method, headers: sent, redirect: 'manual',
		body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
	});
	const text = await answer.text();
	let json;
	try {
		json = JSON.parse(text);
	} catch {
		json = undefined;
	}
	return { status: answer.status, headers: answer.headers, text, json };
}

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

// A base URL with a token: get('/Users?x'), post('/Users', body), ...
export class Client {
	constructor(base, token) {
		Object.assign(this, { base, token });
	}
	call(method, path, body, headers) {
		return request(method, this.base + path, { token: this.token, body, headers });
	}
	get(path, headers) { return this.call('GET', path, undefined, headers); }
	post(path, body, headers) { return this.call('POST', path, body, headers); }
	put(path, body) { return this.call('PUT', path, body); }
	delete(path) { return this.call('DELETE', path); }
	patch(path, ...operations) {
		return this.call('PATCH', path, { schemas: [PATCH], Operations: operations });
	}
	async make(path, body) {
		const answer = await this.post(path, body);
		assert.equal(answer.status, 201, answer.text);
		return answer.json;
	}
	async read(path) {
		const answer = await this.get(path);
		assert.equal(answer.status, 200, answer.text);
		return answer.json;
	}
}

export class Sim {
	static async start(...args) {
		const sim = new Sim();
		sim.folder = mkdtempSync(join(tmpdir(), 'dbx-sim-'));
		await sim.run(args);
		return sim;
	}
	// faults: the rules of a fault script
	static async startWithFaults(faults, ...args) {
		const sim = new Sim();
		sim.folder = mkdtempSync(join(tmpdir(), 'dbx-sim-'));
		writeFileSync(join(sim.folder, 'faults'), JSON.stringify(faults));
		await sim.run(['--faults', join(sim.folder, 'faults'), ...args]);
		return sim;
	}
	async run(args) {
		this.logFile = join(this.folder, 'log');
		this.child = spawn(program, [...(this.logArgs ?? ['--request-log', this.logFile]), ...args],
			{ stdio: ['ignore', 'pipe', 'inherit'] });
		this.exit = new Promise((resolve) => this.child.once('exit', (code, signal) => resolve({ code, signal })));
		this.child.on('error', (error) => { throw error; });
		// A test that fails does not stop its simulator: it must not keep us, nor stay.
		running.add(this.child);
		this.child.once('exit', () => running.delete(this.child));
		this.line = await new Promise((resolve, reject) => {
			readline.createInterface({ input: this.child.stdout }).once('line', resolve);
			this.exit.then((how) => reject(new Error(`dbx-sim ended: ${JSON.stringify(how)}`)));
		});
		this.child.unref();
		this.child.stdout.unref();
		this.first = JSON.parse(this.line);
		this.accountHost = this.first.account.host;
		this.accountId = this.first.account.account_id;
		this.token = (await this.signIn(this.accountHost, `/oidc/accounts/${this.accountId}`)).json?.access_token;
		this.account = new Client(`${this.accountHost}/api/2.0/accounts/${this.accountId}`, this.token);
		this.scim = new Client(`${this.account.base}/scim/v2`, this.token);
	}
	signIn(host, prefix, { id = this.first.client_id, secret = this.first.client_secret, form, headers } = {}) {
		return request('POST', `${host}${prefix}/v1/token`, {
			body: form ?? 'grant_type=client_credentials&scope=all-apis',
			headers: headers ?? {
				authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
				'content-type': 'application/x-www-form-urlencoded',
			},
		});
	}
	workspace(name) {
		const { host, token } = this.first.workspaces[name];
		return new Client(host, token);
	}
	workspaceScim(name) {
		const { host, token } = this.first.workspaces[name];
		return new Client(`${host}/api/2.0/preview/scim/v2`, token);
	}
	assignments(name) {
		return new Client(
			`${this.account.base}/workspaces/${this.workspaceIdText(name)}/permissionassignments`, this.token);
	}
	// Digit by digit: a number of JavaScript may not hold it.
	workspaceIdText(name) {
		const { port } = new URL(this.first.workspaces[name].host);
		return new RegExp(`"host":"http://127.0.0.1:${port}","id":(\\d+)`).exec(this.line)[1];
	}
	log() {
		return readFileSync(this.logFile, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
	}
	async stop({ keep = false } = {}) {
		this.child.ref();
		this.child.kill('SIGTERM');
		const how = await this.exit;
		if (!keep)
			rmSync(this.folder, { recursive: true });
		assert.deepEqual(how, { code: 0, signal: null });
	}
}

export const ids = (list) => (list ?? []).map((item) => item.value).sort();
export const values = ids;
