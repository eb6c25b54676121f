// Faults, limits, latency, stale reads, the state file, the log and the command line.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR, Sim, ids, request } from './harness.mjs';

const USERS = '/api/2.0/accounts/*/scim/v2/Users';
const GROUPS = '/api/2.0/accounts/*/scim/v2/Groups';
const withFaults = (name, rules, args, body) => test(name, async () => {
	const sim = await Sim.startWithFaults({ rules }, ...args);
	try {
		await body(sim, sim.scim);
	} finally {
		await sim.stop();
	}
});
const broken = (call) => assert.rejects(call, TypeError);

withFaults('answers in place of ours: skip, times, headers, kinds of body', [
	{ match: `GET ${USERS}`, skip: 1, times: 2, status: 429, headers: { 'Retry-After': '7' }, body: { error_code: 'X' } },
	{ match: `GET ${USERS}`, status: 503, body: '<pre>text</pre>' },
	{ match: `GET ${USERS}`, fault: 'throttle-bare' },
], [], async (sim, scim) => {
	const seen = [];
	for (let n = 0; n < 5; n++)
		seen.push(await scim.get('/Users?count=1'));
	assert.deepEqual(seen.map((one) => one.status), [503, 429, 429, 429, 200]);
	assert.deepEqual([seen[1].headers.get('retry-after'), seen[1].json], ['7', { error_code: 'X' }]);
	assert.deepEqual([seen[0].text, seen[0].headers.get('content-type')], ['<pre>text</pre>', 'text/plain']);
	assert.deepEqual([seen[3].text, seen[3].headers.get('retry-after')], ['', null]);
});

withFaults('named faults', [
	{ match: `GET ${USERS}/1`, fault: 'throttle-sec' },
	{ match: `GET ${USERS}/2`, fault: 'scim-500-limit' },
	{ match: `GET ${USERS}/3`, fault: 'code-400-limit' },
	{ match: `GET ${USERS}/4`, fault: 'throttle-date' },
	{ match: `GET ${USERS}/5`, fault: 'garbage-big' },
	{ match: `GET ${USERS}/6`, fault: 'private-link' },
	{ match: `GET ${USERS}/7`, fault: 'garbage-string' },
	{ match: 'POST */v1/token', skip: 1, fault: 'oauth-throttle' },
], [], async (sim, scim) => {
	assert.equal((await scim.get('/Users/1')).headers.get('retry-after'), '3');
	const disguised = await scim.get('/Users/2');
	assert.equal(disguised.status, 500);
	assert.ok(disguised.json.detail.startsWith('REQUEST_LIMIT_EXCEEDED: '));
	assert.deepEqual(disguised.json.schemas, [ERROR]);
	assert.deepEqual((await scim.get('/Users/3')).json.error_code, 'REQUEST_LIMIT_EXCEEDED');
	assert.match((await scim.get('/Users/4')).headers.get('retry-after'), /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [0-9:]{8} GMT$/);
	assert.ok((await scim.get('/Users/5')).text.length >= 10 * 1024 * 1024);
	assert.match((await scim.get('/Users/6')).headers.get('location'), /^\/login\.html\?error=private-link/);
	assert.equal((await scim.get('/Users/7')).json, 'just a string');
	const token = await sim.signIn(sim.accountHost, `/oidc/accounts/${sim.accountId}`);
	assert.deepEqual([token.status, token.json.error], [400, 'invalid_request']);
});

withFaults('connections cut before and after the effect', [
	{ match: `POST ${USERS}`, cut: 'before' },
	{ match: `POST ${USERS}`, fault: 'lost-reply' },
], [], async (sim, scim) => {
	const total = async () => (await scim.read('/Users')).totalResults;
	await broken(scim.post('/Users', { userName: 'ada@example.com' }));
	assert.equal(await total(), 0);
	await broken(scim.post('/Users', { userName: 'ada@example.com' }));
	assert.equal(await total(), 1);
	assert.equal((await scim.post('/Users', { userName: 'ada@example.com' })).status, 409);
	const posts = sim.log().filter((line) => line.method === 'POST' && line.path.endsWith('/Users'));
	assert.deepEqual(posts.map((line) => line.status), [0, 0, 409]);
});

withFaults('effect kept, answer replaced; a group made without its members', [
	{ match: `POST ${USERS}`, fault: '504-applied' },
	{ match: `POST ${GROUPS}`, fault: 'group-no-members' },
], [], async (sim, scim) => {
	assert.equal((await scim.post('/Users', { userName: 'ada@example.com' })).status, 504);
	const { id } = (await scim.read('/Users')).Resources[0];
	const answer = await scim.post('/Groups', { displayName: 'eng', members: [{ value: id }] });
	assert.equal(answer.status, 500);
	const found = (await scim.read('/Groups?filter=displayName%20eq%20eng')).Resources[0];
	assert.ok(!('members' in await scim.read(`/Groups/${found.id}`)));
});

withFaults('bodies that come short, and by the drop', [
	{ match: `GET ${USERS}`, fault: 'half-body' },
	{ match: `GET ${USERS}`, truncate: 10 },
	{ match: `GET ${USERS}`, drip: { bytes: 40, every_ms: 1 }, delay_ms: 1 },
], [], async (sim, scim) => {
	await broken(scim.get('/Users'));
	await broken(scim.get('/Users'));
	assert.equal((await scim.read('/Users')).totalResults, 0);
	const [half, cut, whole] = sim.log().filter((line) => line.path.endsWith('/Users')).map((line) => line.bytes);
	assert.equal(half, Math.floor(whole / 2));
	assert.equal(cut, 10);
});

withFaults('stale reads: some reads, then the truth, then the old once more', [
	{ match: `PATCH ${GROUPS}/*`, stale: { reads: 2, flap: true, list_reads: 1 } },
], [], async (sim, scim) => {
	const { id } = await scim.make('/Groups', { displayName: 'old' });
	const answer = await scim.patch(`/Groups/${id}`, { op: 'replace', path: 'displayName', value: 'new' });
	assert.equal(answer.json.displayName, 'new');
	const seen = [];
	for (let n = 0; n < 6; n++)
		seen.push((await scim.read(`/Groups/${id}`)).displayName);
	assert.deepEqual(seen, ['old', 'old', 'new', 'old', 'new', 'new']);
	const listed = async () => (await scim.read('/Groups?filter=displayName%20ne%20"account users"')).Resources[0].displayName;
	assert.deepEqual([await listed(), await listed()], ['old', 'new']);
	assert.equal((await scim.post('/Groups', { displayName: 'new' })).status, 409);
});

withFaults('stale reads: not there yet, still there', [
	{ match: `POST ${USERS}`, stale: { reads: 1, list_reads: 1 } },
	{ match: `DELETE ${USERS}/*`, stale: { reads: 1, list_reads: 1 } },
], ['--workspace', 'prod'], async (sim, scim) => {
	const { id } = await scim.make('/Users', { userName: 'ada@example.com' });
	const status = async () => (await scim.get(`/Users/${id}`)).status;
	const total = async () => (await scim.read('/Users')).totalResults;
	assert.deepEqual([await status(), await status(), await total(), await total()], [404, 200, 0, 1]);
	await scim.delete(`/Users/${id}`);
	assert.deepEqual([await status(), await status(), await total(), await total()], [200, 404, 1, 0]);
	assert.equal((await scim.delete(`/Users/${id}`)).status, 404);
});

withFaults('rules for one host; tokens taken back', [
	{ match: 'GET /api/2.0/preview/scim/v2/Me', host: 'dev', fault: '500' },
	{ match: `GET ${USERS}`, fault: 'revoke-tokens' },
], ['--workspace', 'prod', '--workspace', 'dev'], async (sim, scim) => {
	assert.equal((await sim.workspaceScim('prod').get('/Me')).status, 200);
	assert.equal((await sim.workspaceScim('dev').get('/Me')).status, 500);
	assert.equal((await scim.get('/Users')).status, 401);
	const again = await sim.signIn(sim.accountHost, `/oidc/accounts/${sim.accountId}`);
	assert.equal((await request('GET', `${scim.base}/Users`, { token: again.json.access_token })).status, 200);
});

test('the same seed gives the same faults', async () => {
	const draw = async (seed) => {
		const sim = await Sim.startWithFaults({ seed, rules: [{ match: `GET ${USERS}`, probability: 0.5, status: 500 }] });
		const seen = [];
		for (let n = 0; n < 32; n++)
			seen.push((await sim.scim.get('/Users')).status);
		await sim.stop();
		return seen.join();
	};
	const [first, second, third] = [await draw(1), await draw(1), await draw(2)];
	assert.equal(first, second);
	assert.notEqual(first, third);
	assert.ok(first.includes('500') && first.includes('200'));
});

test('quirks, from the fault script and the command line', async () => {
	const sim = await Sim.startWithFaults({ quirks: { 'active-strict': true, 'patch-no-content': true } },
		'--workspace', 'prod', '--quirk', 'account-list-members=on', '--quirk', 'account-entitlements-ignored=on',
		'--quirk', 'strict-remove=on', '--quirk', 'text-plain=on', '--quirk', 'federated-400=on',
		'--quirk', 'expires-in-text=on', '--quirk', 'indirect-seen=off', '--quirk', 'nesting-limit=off',
		'--quirk', 'link-users=off', '--quirk', 'find-inactive=off', '--quirk', 'fill-emails=off');
	const { scim } = sim;
	const ada = await scim.make('/Users', { userName: 'ada@example.com' });
	const eng = await scim.make('/Groups', { displayName: 'eng', members: [{ value: ada.id }] });
	const strict = await scim.patch(`/Users/${ada.id}`, { op: 'replace', path: 'active', value: 'false' });
	assert.equal(strict.status, 500);
	assert.ok(strict.json.detail.startsWith('class java.lang.String cannot be cast to class java.lang.Boolean'));
	const empty = await scim.patch(`/Users/${ada.id}`, { op: 'replace', path: 'active', value: true });
	assert.deepEqual([empty.status, empty.text], [204, '']);
	const list = await scim.get('/Groups?filter=displayName%20eq%20eng');
	assert.deepEqual(ids(list.json.Resources[0].members), [ada.id]);
	assert.ok(list.headers.get('content-type').startsWith('text/plain'));
	const ignored = await scim.patch(`/Groups/${eng.id}`, { op: 'add', path: 'entitlements', value: [{ value: 'workspace-access' }] });
	assert.equal(ignored.status, 204);
	assert.equal((await scim.patch(`/Groups/${eng.id}`, { op: 'remove', path: 'members[value eq "1"]' })).status, 404);
	await sim.assignments('prod').put(`/principals/${eng.id}`, { permissions: ['USER'] });
	const prod = sim.workspaceScim('prod');
	assert.equal((await prod.read('/Users')).totalResults, 0);
	const refused = await prod.patch(`/Groups/${eng.id}`, { op: 'remove', path: 'members' });
	assert.deepEqual([refused.status, refused.json.scimType], [400, 'Members attribute not supported for current workspace.']);
	assert.equal((await sim.signIn(sim.accountHost, `/oidc/accounts/${sim.accountId}`)).json.expires_in, '3600');
	assert.ok(!('emails' in await scim.read(`/Users/${ada.id}`)));
	assert.equal((await prod.post('/Users', { userName: 'ada@example.com' })).status, 409);
	await scim.patch(`/Users/${ada.id}`, { op: 'replace', path: 'active', value: false });
	assert.equal((await scim.read('/Users?filter=userName%20eq%20ada@example.com')).totalResults, 0);
	assert.equal((await scim.post('/Users', { userName: 'ada@example.com' })).status, 409);
	let outer = eng;
	for (let n = 0; n < 11; n++) {
		outer = await scim.make('/Groups', { displayName: `outer-${n}`, members: [{ value: outer.id }] });
		assert.equal(ids((await scim.read(`/Groups/${outer.id}`)).members).length, 1);
	}
	await sim.stop();
});

test('published limits: a rate, its answer, its scope', async () => {
	const sim = await Sim.start('--workspace', 'prod', '--limits', 'published');
	const { scim } = sim;
	const made = await scim.make('/Groups', { displayName: 'eng' });
	const patch = () => scim.patch(`/Groups/${made.id}`, { op: 'replace', path: 'externalId', value: 'x' });
	const answers = await Promise.all(Array.from({ length: 40 }, patch));
	const refused = answers.filter((one) => one.status === 429);
	assert.ok(refused.length > 0 && refused.length < 40);
	assert.deepEqual(refused[0].json.schemas, [ERROR]);
	assert.equal(refused[0].json.status, '429');
	assert.equal(refused[0].headers.get('retry-after'), '1');
	assert.equal((await scim.get(`/Groups/${made.id}`)).status, 200);
	await sim.stop();
});

test('published limits: four at once in a workspace, the rest in disguise', async () => {
	const sim = await Sim.start('--workspace', 'prod', '--limits', 'published', '--latency', '500');
	const prod = sim.workspaceScim('prod');
	const answers = await Promise.all(Array.from({ length: 12 }, () => prod.get('/Users')));
	const refused = answers.filter((one) => one.status === 500);
	assert.ok(refused.length > 0 && refused.length <= 8);
	assert.equal(refused[0].json.detail,
		`REQUEST_LIMIT_EXCEEDED: Workspace ${sim.workspaceIdText('prod')} exceeded the concurrent limit of 4 requests.`);
	assert.equal((await prod.get('/Users')).status, 200);
	await sim.stop();
});

test('latency holds up one request, not the others', async () => {
	const sim = await Sim.start('--latency', '100');
	const started = process.hrtime.bigint();
	await Promise.all(Array.from({ length: 50 }, () => sim.scim.get('/Users')));
	const tookMs = Number(process.hrtime.bigint() - started) / 1e6;
	assert.ok(tookMs >= 100, `${tookMs}`); // the upper end is not ours to promise
	const times = sim.log().filter((line) => line.path.endsWith('/Users')).map((line) => line.t);
	assert.ok(Math.max(...times) - Math.min(...times) < 50 * 100 * 1e6);
	await sim.stop();
});

test('tokens end', async () => {
	const sim = await Sim.start('--token-lifetime', '0');
	const answer = await sim.scim.get('/Users');
	assert.deepEqual([answer.status, answer.json.message], [401, 'Access token has expired']);
	await sim.stop();
});

test('the request log: one line each, with what was asked for', async () => {
	const sim = await Sim.start('--workspace', 'prod');
	const answer = await sim.scim.get('/Users?filter=userName%20eq%20%22a%22&count=1');
	await sim.workspaceScim('prod').get('/Me');
	const [, users, me] = sim.log();
	assert.deepEqual(Object.keys(users), ['t', 'port', 'method', 'path', 'status', 'bytes']);
	assert.deepEqual([users.port, users.method, users.status, users.bytes],
		[Number(new URL(sim.accountHost).port), 'GET', 200, answer.text.length]);
	assert.equal(users.path, `/api/2.0/accounts/${sim.accountId}/scim/v2/Users?filter=userName%20eq%20%22a%22&count=1`);
	assert.equal(me.port, Number(new URL(sim.first.workspaces.prod.host).port));
	assert.ok(me.t > users.t && users.t > 0);
	await sim.stop();
});

test('no log unless one is asked for', async () => {
	const sim = await Sim.start();
	await sim.stop({ keep: true });
	sim.logArgs = [];
	await sim.run([]);
	assert.equal((await sim.scim.get('/Users')).status, 200);
	await sim.stop();
});

test('the state outlives the process', async () => {
	const sim = await Sim.start('--workspace', 'prod', '--quirk', 'wide-ids=on');
	const state = join(sim.folder, 'state');
	await sim.stop({ keep: true });
	const run = async (body) => {
		await sim.run(['--workspace', 'prod', '--state', state]);
		await body(sim.scim, sim.workspaceScim('prod'));
		const { first } = sim;
		await sim.stop({ keep: true });
		return first;
	};
	let ada, eng, local, before;
	const shot = async (scim, prod) => [await scim.read('/Users'), await scim.read(`/Groups/${eng.id}`), await prod.read('/Groups'),
		await prod.read('/Users'), await sim.assignments('prod').read(''), await scim.read('/ServicePrincipals')];
	const one = await run(async (scim, prod) => {
		ada = await scim.make('/Users', { userName: 'ada@example.com', displayName: 'Ada "\\ \u0001 Sämple', externalId: 'e',
			name: { givenName: 'Ada', familyName: 'Sample' }, active: false, roles: [{ value: 'account_admin' }] });
		eng = await scim.make('/Groups', { displayName: 'eng', members: [{ value: ada.id }] });
		await sim.assignments('prod').put(`/principals/${eng.id}`, { permissions: ['USER'] });
		await prod.patch(`/Groups/${eng.id}`, { op: 'add', path: 'entitlements', value: [{ value: 'workspace-consume' }] },
			{ op: 'add', path: 'roles', value: [{ value: 'arn:x' }] });
		local = await prod.make('/Groups', { displayName: 'local', members: [{ value: ada.id }] });
		before = await shot(scim, prod);
	});
	const two = await run(async (scim, prod) => {
		assert.deepEqual(await shot(scim, prod), before);
		assert.equal((await prod.read(`/Groups/${local.id}`)).displayName, 'local');
		assert.equal((await scim.post('/Users', { userName: 'ADA@example.com' })).status, 409);
	});
	const secrets = ({ account, client_id, client_secret, workspaces }) =>
		[account.account_id, client_id, client_secret, workspaces.prod.id, workspaces.prod.token];
	assert.deepEqual(secrets(two), secrets(one));
	await sim.run(['--seed', state]);
	assert.deepEqual(ids((await sim.scim.read(`/Groups/${eng.id}`)).members), [ada.id]);
	await sim.stop();
});

test('a seed may leave out most of it', async () => {
	const sim = await Sim.start();
	const seed = join(sim.folder, 'seed');
	await sim.stop({ keep: true });
	writeFileSync(seed, '{"user":{"id":"11","userName":"Ada@example.com"}}\n\n{"group":{"id":"12","displayName":"eng","members":["11"]}}\n');
	await sim.run(['--seed', seed]);
	assert.deepEqual((await sim.scim.read('/Groups/12')).members, [{ value: '11', display: 'Ada@example.com', $ref: 'Users/11' }]);
	assert.equal((await sim.scim.post('/Users', { userName: 'ada@EXAMPLE.com' })).status, 409);
	assert.equal((await sim.scim.read('/Users?filter=userName%20eq%20ada@example.com')).Resources[0].userName, 'Ada@example.com');
	await sim.stop();
});

test('a port that is taken', async () => {
	const sim = await Sim.start();
	const program = join(process.env.top_builddir ?? '.', 'contrib/simulator/dbx-sim');
	const { port } = new URL(sim.accountHost);
	const run = spawnSync(program, ['--listen', port], { encoding: 'utf8', timeout: 20000 });
	assert.deepEqual([run.status, run.stdout], [1, '']);
	assert.ok(run.stderr.includes(`cannot listen on 127.0.0.1:${port}`), run.stderr);
	await sim.stop();
});

test('a chosen port, for the account and for a workspace', async () => {
	const used = await Sim.start('--workspace', 'prod');
	const { port } = new URL(used.accountHost);
	const { port: other } = new URL(used.first.workspaces.prod.host);
	await used.stop({ keep: true });
	await used.run(['--listen', port, '--workspace', `prod:${other}`]);
	assert.deepEqual([used.accountHost, used.first.workspaces.prod.host],
		[`http://127.0.0.1:${port}`, `http://127.0.0.1:${other}`]);
	await used.stop();
});

test('pages shorter than asked for', async () => {
	const sim = await Sim.start('--page-max', '2');
	for (let n = 0; n < 5; n++)
		await sim.scim.make('/Users', { userName: `sample-${n}@example.com` });
	const names = [];
	for (let start = 1, page; (page = await sim.scim.read(`/Users?count=100&startIndex=${start}`)).Resources; start += page.itemsPerPage) {
		assert.equal(page.totalResults, 5);
		names.push(...page.Resources.map((one) => one.userName));
	}
	assert.deepEqual(names, [0, 1, 2, 3, 4].map((n) => `sample-${n}@example.com`));
	await sim.stop();
});

withFaults('cut, late and slow together with latency', [
	{ match: `GET ${USERS}`, fault: 'lost-reply', delay_ms: 10 },
	{ match: `GET ${USERS}`, drip: { bytes: 50, every_ms: 2 } },
], ['--latency', '10'], async (sim, scim) => {
	await broken(scim.get('/Users'));
	assert.equal((await scim.read('/Users')).totalResults, 0);
});

test('ends in the middle of waiting requests', async () => {
	const sim = await Sim.startWithFaults([{ match: 'GET *', times: 0, delay_ms: 500000 }]);
	const waiting = Promise.allSettled(Array.from({ length: 8 }, () => sim.scim.get('/Users')));
	while (sim.log().length < 9)
		await new Promise((resolve) => setTimeout(resolve, 5));
	await sim.stop();
	for (const one of await waiting)
		assert.equal(one.status, 'rejected');
});

test('bad command lines and files are one clear line', () => {
	const program = join(process.env.top_builddir ?? '.', 'contrib/simulator/dbx-sim');
	for (const [args, status, says] of [
		[['--listen', 'everywhere'], 64, '--listen: "everywhere"'],
		[['--listen', '0.0.0.0:80'], 64, 'only loopback is served'],
		[['--workspace', 'a', '--workspace', 'a'], 64, '--workspace: "a"'],
		[['--quirk', 'nothing=on'], 64, '--quirk: "nothing"'],
		[['--limits', 'some'], 64, 'published or off'],
		[['--latency', '-1'], 64, '--latency: "-1"'],
		[['--colour'], 64, 'unknown option'],
		[['word'], 64, 'unexpected argument "word"'],
		[['--faults', '/no/such/file'], 1, '/no/such/file'],
		[['--state', '/'], 1, '/'],
		[['--request-log', '/no/such/file'], 1, '/no/such/file'],
	]) {
		const run = spawnSync(program, args, { encoding: 'utf8', timeout: 20000 });
		assert.equal(run.status, status, `${args}: ${run.stderr}`);
		assert.ok(run.stderr.includes(says), run.stderr);
		assert.equal(run.stdout, '');
	}
	const help = spawnSync(program, ['--help'], { encoding: 'utf8' });
	assert.equal(help.status, 0);
	assert.ok(help.stdout.includes('--quirk NAME=on|off'));
});

test('a fault script with a mistake says where', async () => {
	const program = join(process.env.top_builddir ?? '.', 'contrib/simulator/dbx-sim');
	const sim = await Sim.start();
	const file = join(sim.folder, 'bad');
	for (const [text, says] of [
		['{', `${file}:1`],
		['{"rules":[{"match":"GET /x","colour":1}]}', 'rule 1: "colour"'],
		['{"rules":[{"match":"GET /x","status":99}]}', 'rule 1: "status"'],
		['{"rules":[{"status":500}]}', 'rule 1: "match" is missing'],
		['{"rules":[{"match":"GET /x","fault":"nonsense"}]}', 'no fault is called "nonsense"'],
		['{"quirks":{"nonsense":true}}', 'quirk "nonsense"'],
	]) {
		writeFileSync(file, text);
		const run = spawnSync(program, ['--faults', file], { encoding: 'utf8', timeout: 20000 });
		assert.equal(run.status, 1, text);
		assert.ok(run.stderr.includes(says), run.stderr);
	}
	await sim.stop();
});

test('SIGUSR1 writes the state, SIGHUP reads the faults again', async () => {
	const sim = await Sim.startWithFaults({ rules: [] });
	const state = join(sim.folder, 'state');
	await sim.stop({ keep: true });
	await sim.run(['--state', state, '--faults', join(sim.folder, 'faults')]);
	await sim.scim.make('/Users', { userName: 'ada@example.com' });
	sim.child.kill('SIGUSR1');
	const until = async (good) => {
		while (!await good())
			await new Promise((resolve) => setTimeout(resolve, 5));
	};
	await until(() => {
		try {
			return readFileSync(state, 'utf8').includes('ada@example.com');
		} catch {
			return false;
		}
	});
	writeFileSync(join(sim.folder, 'faults'), JSON.stringify([{ match: `GET ${USERS}`, times: 0, status: 418 }]));
	sim.child.kill('SIGHUP');
	await until(async () => (await sim.scim.get('/Users')).status === 418);
	await sim.stop();
});
