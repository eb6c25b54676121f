// The simulator as a server: what comes over the wire that is no good request, connections that stay or go, and size.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Sim, request } from './harness.mjs';

let sim, prod, host, port, token;
before(async () => {
	sim = await Sim.start('--workspace', 'prod');
	prod = sim.workspace('prod');
	({ host, token } = sim.first.workspaces.prod);
	({ port } = new URL(host));
});
after(() => sim.stop());

const alive = async () => assert.equal((await prod.get('/api/2.0/preview/scim/v2/Me')).status, 200);
const good = (answer) => {
	assert.equal(answer.status, 200, answer.text);
	return answer.json;
};

// A connection; what came back when it was closed, or when so many answers are there.
async function raw(send, { answers = Infinity } = {}) {
	const socket = net.connect(port, '127.0.0.1');
	let text = '';
	socket.setEncoding('utf8');
	socket.on('error', () => {});
	const done = new Promise((resolve) => {
		socket.on('close', resolve);
		socket.on('data', (part) => {
			text += part;
			if (text.split('HTTP/1.1 ').length - 1 >= answers)
				resolve();
		});
	});
	await once(socket, 'connect');
	await send(socket);
	await done;
	socket.destroy();
	return text;
}
const statuses = (text) => [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));
const me = (more = '') => `GET /api/2.0/preview/scim/v2/Me HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\n${more}\r\n`;

test('--help says all there is', () => {
	const { status, stdout, stderr } = spawnSync(sim.child.spawnfile, ['--help'], { encoding: 'utf8' });
	assert.deepEqual([status, stderr], [0, '']);
	for (const word of ['--listen', '--account', '--workspace', '--tag', '--state', '--seed', '--objects', '--acl-lag', '--limits', '--latency', '--faults',
		'--request-log', '--log-bodies', '--token-lifetime', '--page-max', '--cloud', '--egress-address', '--quirk', 'federation ', 'unified-host ', 'aim '])
		assert.ok(stdout.includes(word), word);
	assert.ok(stdout.split('\n').every((line) => line.length <= 140), 'readable lines');
	assert.match(stdout, /default on\)/);
});

test('bodies that are no JSON, or not the JSON that was expected', async () => {
	const bad = ['{', '[]', '"x"', '7', 'null', '\u0000', '{"a":', `${'['.repeat(5000)}`, `{"a":${'{"a":'.repeat(3000)}1`];
	for (const [method, path] of [
		['POST', '/api/2.2/jobs/create'], ['POST', '/api/2.0/sql/queries'], ['PATCH', '/api/2.0/permissions/authorization/tokens'],
		['PUT', '/api/2.0/permissions/authorization/tokens'], ['POST', '/api/2.0/policies/clusters/create'], ['POST', '/api/2.0/ip-access-lists'],
		['PATCH', '/api/2.0/workspace-conf'], ['PATCH', '/api/2.0/settings/types/disable_legacy_access/names/default'], ['POST', '/api/2.0/token/create'],
		['PUT', '/api/2.0/preview/accounts/access-control/rule-sets'], ['POST', '/api/2.0/preview/scim/v2/Users'], ['POST', '/api/2.0/secrets/scopes/create'],
		['POST', '/api/2.0/preview/permissionassignments'], ['POST', '/api/2.0/identity/groups'], ['POST', '/api/2.1/unity-catalog/catalogs'], ['POST', '/api/2.0/permissionmigration'],
	]) {
		for (const body of bad) {
			const answer = await prod.call(method, path, body);
			assert.equal(answer.status, 400, `${method} ${path} ${body.slice(0, 20)} ${answer.text}`);
			assert.ok(answer.json.error_code ?? answer.json.detail, answer.text);
		}
	}
	// Wrong types in the right places.
	for (const [path, body] of [
		['/api/2.2/jobs/create', { name: {} }], ['/api/2.2/jobs/create', { name: 'x', access_control_list: 7 }], ['/api/2.2/jobs/create', { name: 'x', run_as: { user_name: 7 } }],
		['/api/2.0/sql/queries', { query: [] }], ['/api/2.0/workspace/mkdirs', { path: [] }], ['/api/2.0/clusters/delete', { cluster_id: {} }],
		['/api/2.0/token/create', { lifetime_seconds: {} }], ['/api/2.0/ip-access-lists', { label: 1, list_type: 2, ip_addresses: 3 }],
		['/api/2.0/policies/clusters/create', { name: [], definition: [] }], ['/api/2.1/unity-catalog/schemas', { catalog_name: 1, name: 2 }],
	])
		assert.ok((await prod.post(path, body)).status < 500, path);
	await alive();
});

test('methods that a path does not have', async () => {
	for (const path of ['/api/2.2/jobs/list', '/api/2.0/permissions/jobs/1', '/api/2.0/preview/scim/v2/Users', '/api/2.0/workspace-conf?keys=enableDcs', '/oidc/v1/token', '/']) {
		for (const method of ['PUT', 'DELETE', 'OPTIONS', 'PURGE', 'HEAD'])
			assert.ok([400, 404, 405].includes(Number(statuses(await raw((socket) => socket.write(
				`${method} ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`)))[0])), `${method} ${path}`);
	}
	await alive();
});

test('a body that is too big is refused and leaves nothing behind', async () => {
	const answer = await prod.post('/api/2.2/jobs/create', JSON.stringify({ name: 'x'.repeat(17 * 1024 * 1024) })).catch(() => ({ status: 413 }));
	assert.equal(answer.status, 413);
	assert.equal((await prod.post('/api/2.2/jobs/create', { name: 'x'.repeat(4097) })).status, 400);
	assert.equal((await prod.post('/api/2.2/jobs/create', { name: 'fits', note: 'x'.repeat(15 * 1024 * 1024) })).status, 200);
	await alive();
});

test('paths and headers that are too long', async () => {
	assert.equal((await prod.get(`/${'a/'.repeat(40)}`)).status, 400);
	assert.equal((await prod.get(`/api/2.0/x?${'a=1&'.repeat(60)}`)).status, 400);
	const long = await raw((socket) => socket.write(`GET /${'a'.repeat(300000)} HTTP/1.1\r\nHost: x\r\n\r\n`));
	assert.ok([414, 431, undefined].includes(statuses(long)[0]), long.slice(0, 60));
	const header = await raw((socket) => socket.write(`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(300000)}\r\n\r\n`));
	assert.ok([413, 431, undefined].includes(statuses(header)[0]), header.slice(0, 60));
	await alive();
});

test('requests one after the other on one connection, and all at once', async () => {
	const kept = await raw(async (socket) => {
		for (let n = 1; n <= 20; n++) {
			socket.write(me());
			if (n % 5 === 0)
				await new Promise((resolve) => setImmediate(resolve));
		}
	}, { answers: 20 });
	assert.deepEqual(statuses(kept), Array(20).fill(200));
	const body = JSON.stringify({ name: 'pipelined' });
	const post = `POST /api/2.2/jobs/create HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
	const mixed = await raw((socket) => socket.write(me() + post + me() + post + me('Connection: close\r\n')));
	assert.deepEqual(statuses(mixed), [200, 200, 200, 200, 200]);
	assert.equal((await prod.read('/api/2.2/jobs/list?name=pipelined')).jobs.length, 2);
	const chunked = await raw((socket) => socket.write(`POST /api/2.2/jobs/create HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n` +
		'Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n9\r\n{"name":"\r\n9\r\nchunked"}\r\n0\r\n\r\n'));
	assert.deepEqual(statuses(chunked), [200]);
	assert.equal((await prod.read('/api/2.2/jobs/list?name=chunked')).jobs.length, 1);
});

test('clients that are slow, or leave in the middle, hold up nobody', async () => {
	const slow = Array.from({ length: 50 }, () => {
		const socket = net.connect(port, '127.0.0.1');
		socket.on('error', () => {});
		socket.write(`POST /api/2.2/jobs/create HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Length: 1000\r\n\r\n{"name":`);
		return socket;
	});
	await Promise.all(slow.map((socket) => once(socket, 'connect')));
	await alive();
	slow.forEach((socket) => socket.destroy());
	for (let n = 0; n < 20; n++) // the answer finds nobody
		await raw((socket) => { socket.write(me()); socket.destroy(); });
	for (const text of ['', '\r\n', 'GET\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', '\x16\x03\x01\x02\x00\x01\x00', `GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n`])
		slow.push(net.connect(port, '127.0.0.1').on('error', () => {}).end(text));
	await alive();
	slow.forEach((socket) => socket.destroy());
});

test('escapes, doubled and dotted: nothing gets where it should not', async () => {
	for (const path of ['/api/2.0/permissions/jobs/%00', '/api/2.0/permissions/jobs/%2e%2e', '/api/2.0/permissions/%', '/api/2.0/permissions/jobs/%zz', '//api//2.0',
		'/api/2.0/workspace/get-status?path=%00', '/api/2.0/workspace/list?path=/../../etc', '/api/2.0/workspace/get-status?path=', '/?', '/api/2.0/permissions//root'])
		assert.ok([400, 404].includes((await prod.get(path)).status), path);
	assert.equal((await prod.get(`/api/2.0/permissions/%6Aobs/1`)).json.message, 'Job 1 does not exist.', 'escaped letters are letters');
	await alive();
});

test('requests at random: refused or done, never broken', async () => {
	let seed = 20;
	const draw = (below) => (seed = (seed * 1103515245 + 12345) % 2147483648) % below;
	const pick = (list) => list[draw(list.length)];
	const own = await Sim.startWithFaults({ rules: [{ match: '* /api/*', probability: 0.05, stale: { reads: 1, list_reads: 1, flap: true } }] }, '--workspace', 'prod');
	const at = own.workspace('prod'), seen = {};
	const ids = ['0', '1', 'x', '%00', 'root', 'tokens', 'a.b.c', own.first.client_id];
	const paths = ['permissions/jobs/{}', 'permissions/sql/warehouses/{}', 'permissions/directories/{}', 'permissions/{}/{}', 'preview/sql/permissions/queries/{}', 'jobs/create', 'jobs/update',
		'jobs/delete', 'jobs/list', 'clusters/create', 'clusters/edit', 'clusters/list', 'clusters/permanent-delete', 'sql/warehouses', 'sql/warehouses/{}', 'sql/queries', 'sql/queries/{}',
		'policies/clusters/create', 'policies/clusters/edit', 'policies/jobs/list-compliance', 'workspace/mkdirs', 'workspace/delete', 'workspace/list', 'repos', 'secrets/scopes/create',
		'secrets/acls/put', 'token/create', 'token-management/on-behalf-of/tokens', 'preview/scim/v2/Groups', 'preview/scim/v2/Groups/{}', 'preview/scim/v2/Users', 'preview/scim/v2/Users/{}',
		'identity/groups', 'identity/groups/{}/direct-members', 'identity/workspace-assignments', 'permissionmigration', 'preview/permissionassignments', 'lakeview/dashboards', 'genie/spaces',
		'apps', 'apps/{}', 'mlflow/experiments/create', 'mlflow/experiments/search', 'pipelines', 'pipelines/{}', 'preview/accounts/access-control/rule-sets'];
	const keys = ['name', 'id', 'job_id', 'cluster_id', 'policy_id', 'definition', 'path', 'query', 'display_name', 'owner_user_name', 'update_mask', 'access_control_list', 'new_settings', 'run_as',
		'user_name', 'group_name', 'permission_level', 'tags', 'tasks', 'new_cluster', 'entitlements', 'principal_id', 'members', 'Operations', 'op', 'value', 'displayName', 'userName',
		'rule_set', 'grant_rules', 'etag', 'recursive', 'parent_path', 'permission_assignments', 'permissions', 'scope', 'principal', 'permission', 'application_id'];
	const texts = ['users', 'admins', 'CAN_VIEW', 'IS_OWNER', 'CAN_MANAGE', '', 'add', 'remove', 'replace', 'members', '{}', '/Shared', '/Shared/a', '*', 'USER', 'READ', 'é\u0000'];
	const value = (depth) => {
		const kind = draw(depth > 3 ? 6 : 9);
		if (kind < 3)
			return pick([...ids, ...texts]);
		if (kind < 6)
			return pick([null, true, 0, -1, 1e300, 9007199254740993]);
		if (kind === 6)
			return Array.from({ length: draw(4) }, () => value(depth + 1));
		return Object.fromEntries(Array.from({ length: 1 + draw(5) }, () => [pick(keys), value(depth + 1)]));
	};
	for (let n = 0; n < 3000; n++) {
		const path = `/api/2.0/${pick(paths).replace(/\{\}/g, () => pick(ids))}${draw(3) ? '' : `?${pick(keys)}=${encodeURIComponent(pick(texts))}&page_token=p${draw(9)}`}`;
		const method = pick(['GET', 'POST', 'POST', 'PUT', 'PATCH', 'DELETE']);
		const body = method === 'GET' ? undefined : value(0);
		if (body?.constructor === Object && draw(2))
			Object.assign(body, { name: `n${draw(50)}`, displayName: `n${draw(50)}`, path: `/Shared/${draw(9)}` });
		const answer = await at.call(method, path, JSON.stringify(body));
		assert.ok(answer.status < 500 || answer.json?.detail === 'Error in performing the patch operation on group resource.' || /PatchOp/.test(answer.text), `${method} ${path} ${JSON.stringify(body)} ${answer.text}`);
		seen[answer.status] = (seen[answer.status] ?? 0) + 1;
		const id = answer.json?.id ?? answer.json?.job_id ?? answer.json?.cluster_id ?? answer.json?.policy_id;
		if (id && ids.length < 300)
			ids.push(String(id));
	}
	assert.ok(seen[200] > 200 && seen[400] > 200, JSON.stringify(seen));
	await own.stop();
});

test('thousands of objects: made at the start, listed whole, kept', async () => {
	const own = await Sim.start('--workspace', 'prod');
	await own.stop({ keep: true });
	const [objects, state] = ['objects', 'state'].map((name) => join(own.folder, name));
	const grant = [{ group_name: 'users', permission_level: 'CAN_VIEW' }];
	writeFileSync(objects, JSON.stringify({ prod: { jobs: [{ name: 'j-#', count: 10000, acl: grant }], notebooks: [{ path: '/Shared/nb-#', count: 3000 }],
		clusters: [{ name: 'c-#', count: 3000 }], 'sql/queries': [{ name: 'q-#', count: 2000, folder: '/Shared/sql' }] } }));
	const args = ['--workspace', 'prod', '--objects', objects, '--state', state];
	const count = async () => {
		const at = own.workspace('prod');
		let jobs = 0, page = '', last;
		do {
			const answer = good(await at.get(`/api/2.2/jobs/list?limit=100&page_token=${page}`));
			jobs += answer.jobs.length;
			last = answer.jobs.at(-1).job_id;
			page = answer.next_page_token;
		} while (page);
		const acl = good(await at.get(`/api/2.0/permissions/jobs/${last}`));
		return [jobs, (await at.read('/api/2.0/workspace/list?path=/Shared')).objects.length, acl.access_control_list.length];
	};
	await own.run(args);
	assert.deepEqual(await count(), [10000, 3001, 3]);
	for (let n = 0; n < 2; n++) {
		await own.stop({ keep: true });
		await own.run(args);
		assert.deepEqual(await count(), [10000, 3001, 3]);
	}
	await own.stop();
});

test('a state file that is cut off or is none says where', async () => {
	const own = await Sim.start('--workspace', 'prod');
	await own.stop({ keep: true });
	const state = join(own.folder, 'state');
	for (const [text, place] of [['{"account":', 'state:1'], ['{"account":{}}\n{"user":{"id":"x"}}', 'state:2'], ['{"nonsense":{}}', 'state:1'], ['[]', 'state:1']]) {
		writeFileSync(state, text);
		const { status, stderr, stdout } = spawnSync(own.child.spawnfile, ['--state', state], { encoding: 'utf8', timeout: 10000 });
		assert.deepEqual([status, stdout], [1, ''], stderr);
		assert.ok(stderr.startsWith('dbx-sim: ') && stderr.includes(place), stderr);
	}
	assert.equal((await request('GET', `${host}/.well-known/databricks-config`)).status, 200);
});
