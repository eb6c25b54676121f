// What a write leaves behind: objects and their ACLs that reads and lists show as they were; pages that are empty and
// not the last; and every fault that has a name.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Sim, request } from './harness.mjs';

const withFaults = (name, rules, args, body) => test(name, async () => {
	const sim = await Sim.startWithFaults({ rules }, '--workspace', 'prod', ...args);
	await body(sim.workspace('prod'), sim);
	await sim.stop();
});
const good = (answer) => {
	assert.equal(answer.status, 200, answer.text);
	return answer.json;
};
const ACL = '/api/2.0/permissions';
const users = (level) => ({ access_control_list: [{ group_name: 'users', permission_level: level }] });
const levelOf = (json) => json.access_control_list.find((one) => one.group_name === 'users')?.all_permissions[0].permission_level;
const times = async (count, call) => {
	const seen = [];
	for (let n = 0; n < count; n++)
		seen.push(await call());
	return seen;
};

withFaults('an ACL as it was: some reads, then the truth, then the old once more', [
	{ match: `PATCH ${ACL}/jobs/*`, skip: 1, stale: { reads: 2, flap: true } },
	{ match: `PUT ${ACL}/sql/warehouses/*`, stale: { reads: 1 } },
], [], async (prod) => {
	const { job_id: id } = good(await prod.post('/api/2.2/jobs/create', { name: 'j' }));
	const read = async () => levelOf(await prod.read(`${ACL}/jobs/${id}`));
	good(await prod.call('PATCH', `${ACL}/jobs/${id}`, users('CAN_VIEW')));
	const answer = good(await prod.call('PATCH', `${ACL}/jobs/${id}`, users('CAN_MANAGE')));
	assert.equal(levelOf(answer), 'CAN_MANAGE', 'the write itself tells the truth');
	assert.deepEqual(await times(6, read), ['CAN_VIEW', 'CAN_VIEW', 'CAN_MANAGE', 'CAN_VIEW', 'CAN_MANAGE', 'CAN_MANAGE']);
	// Writes act on the truth, and a refused one leaves nothing behind.
	const { id: house } = good(await prod.post('/api/2.0/sql/warehouses', { name: 'w' }));
	const path = `${ACL}/warehouses/${house}`;
	assert.equal((await prod.put(`${ACL}/sql/warehouses/${house}`, users('CAN_RUN'))).status, 400);
	assert.deepEqual(await times(1, async () => levelOf(await prod.read(path))), [undefined]);
	good(await prod.put(path, users('CAN_USE')));
	assert.equal(levelOf(await prod.read(path)), 'CAN_USE');
});

withFaults('a refused change makes nothing lag', [{ match: `PUT ${ACL}/clusters/*`, stale: { ms: 60000 } }], [], async (prod) => {
	const { cluster_id: id } = good(await prod.post('/api/2.1/clusters/create', { cluster_name: 'c' }));
	assert.equal((await prod.put(`${ACL}/clusters/${id}`, users('CAN_VIEW'))).status, 400);
	good(await prod.call('PATCH', `${ACL}/clusters/${id}`, users('CAN_RESTART')));
	assert.equal(levelOf(await prod.read(`${ACL}/clusters/${id}`)), 'CAN_RESTART');
});

withFaults('an object that is not there yet, and its ACL', [{ match: 'POST /api/2.0/apps', stale: { reads: 2, list_reads: 1 } }], [], async (prod) => {
	good(await prod.post('/api/2.0/apps', { name: 'one' }));
	assert.equal((await prod.post('/api/2.0/apps', { name: 'one' })).status, 400, 'but its name is taken');
	assert.equal((await prod.get('/api/2.0/apps/one')).status, 404);
	assert.equal((await prod.get(`${ACL}/apps/one`)).status, 404);
	assert.equal((await prod.get(`${ACL}/apps/one`)).status, 200);
	assert.deepEqual(await prod.read('/api/2.0/apps'), {});
	assert.equal((await prod.read('/api/2.0/apps')).apps.length, 1);
});

withFaults('an object that is still there after it was deleted', [
	{ match: 'DELETE /api/2.0/sql/warehouses/*', stale: { reads: 2, list_reads: 2 } },
	{ match: 'POST /api/2.0/workspace/delete', stale: { reads: 1 } },
], [], async (prod) => {
	const [one, two, three] = await times(3, async () => good(await prod.post('/api/2.0/sql/warehouses', { name: `w${Math.random()}` })).id);
	good(await prod.delete(`/api/2.0/sql/warehouses/${two}`));
	assert.equal((await prod.delete(`/api/2.0/sql/warehouses/${two}`)).status, 404, 'for a write it is gone');
	assert.equal((await prod.get(`/api/2.0/sql/warehouses/${two}`)).status, 200);
	assert.equal((await prod.get(`${ACL}/warehouses/${two}`)).status, 200);
	assert.equal((await prod.get(`${ACL}/warehouses/${two}`)).status, 404);
	const list = async () => (await prod.read('/api/2.0/sql/warehouses')).warehouses.map((item) => item.id);
	assert.deepEqual(await times(3, list), [[one, two, three], [one, two, three], [one, three]]);
});

withFaults('a list that shows the old name, and what hung in a folder that went', [
	{ match: 'PATCH /api/2.0/sql/queries/*', stale: { list_reads: 1, reads: 1 } },
	{ match: 'DELETE /api/2.0/sql/queries/*', stale: { reads: 1 } },
], [], async (prod) => {
	good(await prod.post('/api/2.0/workspace/mkdirs', { path: '/Shared/sql' }));
	const { id } = good(await prod.post('/api/2.0/sql/queries', { query: { display_name: 'old', parent_path: '/Shared/sql' } }));
	good(await prod.call('PATCH', `/api/2.0/sql/queries/${id}`, { update_mask: 'display_name', query: { display_name: 'new' } }));
	const name = async () => (await prod.read('/api/2.0/sql/queries')).results[0].display_name;
	assert.deepEqual(await times(2, name), ['old', 'new']);
	assert.deepEqual(await times(2, async () => (await prod.read(`/api/2.0/sql/queries/${id}`)).display_name), ['old', 'new']);
	good(await prod.delete(`/api/2.0/sql/queries/${id}`));
	good(await prod.post('/api/2.0/workspace/delete', { path: '/Shared/sql', recursive: true }));
	assert.equal((await prod.get(`${ACL}/sql/queries/${id}`)).status, 200);
	assert.equal((await prod.get(`${ACL}/sql/queries/${id}`)).status, 404);
});

test('pages of objects that are empty and not the last', async () => {
	const sim = await Sim.start('--workspace', 'prod', '--quirk', 'empty-pages=on');
	const prod = sim.workspace('prod');
	good(await prod.post('/api/2.2/jobs/create', { name: 'j' }));
	good(await prod.post('/api/2.0/mlflow/experiments/create', { name: '/Shared/e' }));
	const first = await prod.read('/api/2.2/jobs/list');
	assert.deepEqual([first.jobs, first.next_page_token !== ''], [[], true]);
	const second = await prod.read(`/api/2.2/jobs/list?page_token=${first.next_page_token}`);
	assert.deepEqual([second.jobs.length, second.next_page_token], [1, undefined]);
	const empty = good(await prod.post('/api/2.0/mlflow/experiments/search', {}));
	assert.deepEqual(empty.experiments, []);
	assert.equal(good(await prod.post('/api/2.0/mlflow/experiments/search', { page_token: empty.next_page_token })).experiments.length, 1);
	await sim.stop();
});

// What each named fault answers; what it does to connections and effects is in faults.test.mjs.
const answers = {
	'throttle-sec': [429, /REQUEST_LIMIT_EXCEEDED/, '3'], 'throttle-bare': [429, /^$/, null], 'throttle-float': [429, /429/, '1.58'],
	'throttle-neg': [429, /429/, '-5'], 'throttle-huge': [429, /429/, '99999999'], 'scim-500-limit': [500, /"REQUEST_LIMIT_EXCEEDED: Workspace/],
	'code-400-limit': [400, /"error_code":"REQUEST_LIMIT_EXCEEDED"/], 'bucket-text': [429, /RPC token bucket limit has been exceeded/],
	'oauth-throttle': [400, /Temporarily throttled/], 'token-expired': [401, /UNAUTHORIZED/], 500: [500, /INTERNAL_ERROR/],
	503: [503, /TEMPORARILY_UNAVAILABLE/, null], '503-html': [503, /^<html>.*<pre>No webapps are available/], '503-retry-after': [503, /TEMPORARILY/, '2'],
	'502-text': [502, /^Bad Gateway$/], 'scim-null': [500, /"detail":"null"/], 'patch-conflict': [409, /"ABORTED"/],
	'ruleset-race': [409, /"RESOURCE_CONFLICT"/], 'perm-500': [500, /Cannot modify permissions of directory/], 'wrong-acl': [200, /^\{\}$/],
	'late-principal': [404, /Principal \d+ not in workspace \d+/], 'no-metastore': [400, /Permission assignment APIs are not available/],
	'item-error': [200, /"error":"RESOURCE_DOES_NOT_EXIST: Principal not found in account\."/], 'login-page': [200, /^<html><title>Login/],
	'login-redirect': [302, /^$/], 'private-link': [302, /^$/], quota: [400, /QUOTA_EXCEEDED/], 'garbage-string': [404, /^"just a string"$/],
	'garbage-number': [400, /^42$/], 'garbage-byte': [404, /^\ufffd$/], 'malformed-text': [400, /^MALFORMED_REQUEST: /],
};
test('every fault that answers in our place', async () => {
	const names = Object.keys(answers);
	const sim = await Sim.startWithFaults({ rules: names.map((fault) => ({ match: `GET /x/${fault}`, fault })) });
	for (const name of names) {
		const [status, text, retry] = answers[name], answer = await request('GET', `${sim.accountHost}/x/${name}`);
		assert.equal(answer.status, status, name);
		assert.match(answer.text, text, name);
		if (retry !== undefined)
			assert.equal(answer.headers.get('retry-after'), retry, name);
	}
	await sim.stop();
});
