// Personal access tokens: one's own, the admin's view of all, those on behalf of service principals, and how they end.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Sim, request } from './harness.mjs';

const DAY = 86400000;
let sim, prod, host, serial = 0;
before(async () => {
	sim = await Sim.start('--workspace', 'prod', '--workspace', 'dev');
	prod = sim.workspace('prod');
	host = prod.base;
});
after(() => sim.stop());

const fresh = (word) => `${word}-${++serial}`;
const oauth = async (name) => {
	const { host: base } = sim.first.workspaces[name];
	return new Client(base, (await sim.signIn(base, '/oidc')).json.access_token);
};
const apiError = (answer, status, code, message) => {
	assert.equal(answer.status, status, answer.text);
	assert.equal(answer.json.error_code, code, answer.text);
	if (message)
		assert.ok(answer.json.message.includes(message), answer.text);
};
const good = (answer) => {
	assert.equal(answer.status, 200, answer.text);
	return answer.json;
};
const own = (client, body = {}) => client.post('/api/2.0/token/create', body);
const managed = async (client = prod, query = '') =>
	(await client.read(`/api/2.0/token-management/tokens${query}`)).token_infos ?? [];
const me = (token, base = host) => request('GET', `${base}/api/2.0/preview/scim/v2/Me`, { token });
const conf = (body, client = prod) => client.call('PATCH', '/api/2.0/workspace-conf', body);
// A service principal that is in prod, and a token on its behalf.
async function robot(body = {}) {
	const who = await sim.scim.make('/ServicePrincipals', { displayName: fresh('etl') });
	good(await sim.assignments('prod').put(`/principals/${who.id}`, { permissions: ['USER'] }));
	const made = good(await prod.post('/api/2.0/token-management/on-behalf-of/tokens',
		{ application_id: who.applicationId, ...body }));
	return { who, ...made, client: new Client(host, made.token_value) };
}

test('a token of one\'s own: made, listed without its text, used, deleted', async () => {
	const before = Date.now();
	const { token_value: text, token_info: info } = good(await own(prod, { comment: 'laptop', lifetime_seconds: 3600, scopes: ['sql'] }));
	assert.match(text, /^dapi[0-9a-f]{32}$/);
	assert.match(info.token_id, /^[0-9a-f]{64}$/);
	assert.deepEqual([info.comment, info.expiry_time - info.creation_time, info.scopes], ['laptop', 3600000, ['sql']]);
	assert.ok(info.creation_time >= before && info.creation_time <= Date.now());
	assert.ok(!('last_accessed_time' in info));
	assert.equal((await me(text)).json.userName, sim.first.client_id);
	const listed = (await prod.read('/api/2.0/token/list')).token_infos.find((one) => one.token_id === info.token_id);
	assert.ok(!('token_value' in listed));
	assert.ok(listed.last_accessed_time >= before);
	assert.deepEqual(good(await prod.post('/api/2.0/token/delete', { token_id: info.token_id })), {});
	assert.equal((await me(text)).status, 403);
	apiError(await prod.post('/api/2.0/token/delete', { token_id: info.token_id }), 404, 'RESOURCE_DOES_NOT_EXIST');
	apiError(await prod.post('/api/2.0/token/delete', {}), 404, 'RESOURCE_DOES_NOT_EXIST');
});

test('a dead token: 403 with a number as error_code', async () => {
	const { token_value: text, token_info: { token_id: id } } = good(await own(prod));
	assert.deepEqual(good(await prod.delete(`/api/2.0/token-management/tokens/${id}`)), {});
	const answer = await me(text);
	assert.equal(answer.status, 403);
	assert.deepEqual(answer.json, { error_code: 403, message: 'Invalid access token.' });
	assert.equal(answer.headers.get('x-databricks-reason-phrase'), 'Invalid access token.');
	apiError(await prod.delete(`/api/2.0/token-management/tokens/${id}`), 404, 'NOT_FOUND', 'Token does not exist');
	apiError(await prod.get(`/api/2.0/token-management/tokens/${id}`), 404, 'NOT_FOUND');
});

test('a token works in its workspace only', async () => {
	const { token_value: text } = good(await own(prod));
	apiError(await me(text, sim.first.workspaces.dev.host), 403, 'PERMISSION_DENIED', 'Unauthorized access to Org');
	assert.equal((await request('GET', `${sim.account.base}/workspaces`, { token: text })).status, 401);
});

test('the admin sees all of them, and whose they are', async () => {
	const { who, token_info: made } = await robot({ comment: 'for etl' });
	const info = (await prod.read(`/api/2.0/token-management/tokens/${made.token_id}`)).token_info;
	assert.deepEqual(info, made);
	assert.deepEqual([info.owner_id, info.created_by_username, info.comment, info.workspace_id],
		[Number(who.id), sim.first.client_id, 'for etl', sim.first.workspaces.prod.id]);
	assert.notEqual(info.created_by_id, info.owner_id);
	const has = (list) => list.some((one) => one.token_id === made.token_id);
	assert.ok(has(await managed()));
	assert.ok(has(await managed(prod, `?created_by_id=${info.created_by_id}`)));
	assert.ok(!has(await managed(prod, `?created_by_id=${who.id}`)));
	assert.ok(has(await managed(prod, `?created_by_username=${sim.first.client_id.toUpperCase()}`)));
	assert.deepEqual(await managed(prod, '?created_by_username=nobody@example.com'), []);
	assert.ok(!has(await managed(await oauth('dev'))));
});

test('last use, to the day', async () => {
	const { client, token_info: { token_id: id } } = await robot();
	const read = async () => (await prod.read(`/api/2.0/token-management/tokens/${id}`)).token_info.last_used_day;
	assert.equal(await read(), undefined);
	good(await client.get('/api/2.0/preview/scim/v2/Me'));
	assert.equal(await read() % DAY, 0);
	assert.ok(Date.now() - await read() < 2 * DAY);
});

test('comment and scopes change, nothing else', async () => {
	const { token_info: { token_id: id } } = good(await own(prod, { comment: 'old', scopes: ['sql'] }));
	const path = `/api/2.0/token-management/tokens/${id}`;
	const changed = good(await prod.call('PATCH', path, { token: { comment: 'new', scopes: ['clusters'] }, update_mask: 'comment' }));
	assert.deepEqual([changed.token_id, changed.comment, changed.scopes], [id, 'new', ['sql']]);
	assert.deepEqual(good(await prod.call('PATCH', `/api/2.0/token/${id}`, { token: { comment: 'mine' }, update_mask: '*' })), {});
	const info = (await prod.read(path)).token_info;
	assert.deepEqual([info.comment, 'scopes' in info], ['mine', false]);
	apiError(await prod.call('PATCH', path, { token: { owner_id: 1 }, update_mask: 'owner_id' }), 400, 'INVALID_PARAMETER_VALUE');
	apiError(await prod.call('PATCH', path, { token: {} }), 400, 'INVALID_PARAMETER_VALUE');
	apiError(await prod.call('PATCH', '/api/2.0/token/none', { token: {}, update_mask: 'comment' }), 404, 'NOT_FOUND');
	apiError(await prod.call('PATCH', '/api/2.0/token-management/tokens/none', { token: {}, update_mask: 'comment' }), 404, 'NOT_FOUND');
});

test('who is no admin has tokens of its own, and none of others', async () => {
	const { client, token_info: info } = await robot();
	const { token_value: second } = good(await own(client));
	const list = (await client.read('/api/2.0/token/list')).token_infos;
	assert.equal(list.length, 2);
	assert.ok(list.some((one) => one.token_id === info.token_id));
	assert.equal((await me(second)).status, 200);
	const { token_info: admins } = good(await own(prod));
	apiError(await client.post('/api/2.0/token/delete', { token_id: admins.token_id }), 404, 'RESOURCE_DOES_NOT_EXIST');
	for (const answer of [
		await client.get('/api/2.0/token-management/tokens'),
		await client.delete(`/api/2.0/token-management/tokens/${info.token_id}`),
		await client.post('/api/2.0/token-management/on-behalf-of/tokens', {}),
		await client.get('/api/2.0/workspace-conf?keys=enableTokensConfig'),
	])
		apiError(answer, 403, 'PERMISSION_DENIED');
	assert.equal((await client.post('/api/2.0/preview/scim/v2/Groups', { displayName: 'x' })).status, 403);
	assert.equal((await client.post('/api/2.0/account/scim/v2/Groups', { displayName: 'x' })).status, 403);
});

test('on behalf: only by application id, of one that is here', async () => {
	const who = await sim.scim.make('/ServicePrincipals', { displayName: fresh('etl') });
	const make = (application_id) => prod.post('/api/2.0/token-management/on-behalf-of/tokens', { application_id });
	apiError(await make(who.id), 400, 'INVALID_PARAMETER_VALUE');
	apiError(await make(undefined), 400, 'INVALID_PARAMETER_VALUE');
	apiError(await make('00000000-0000-4000-8000-000000000000'), 404, 'RESOURCE_DOES_NOT_EXIST');
	apiError(await make(who.applicationId), 404, 'RESOURCE_DOES_NOT_EXIST');
	await sim.assignments('prod').put(`/principals/${who.id}`, { permissions: ['USER'] });
	assert.equal((await make(who.applicationId)).status, 200);
});

test('deactivated, taken out of the workspace, back, deleted', async () => {
	const { who, client, token_info: { token_id: id } } = await robot();
	const works = async () => (await client.get('/api/2.0/preview/scim/v2/Me')).status;
	const listed = async () => (await managed()).some((one) => one.token_id === id);
	const active = (value) => sim.scim.patch(`/ServicePrincipals/${who.id}`, { op: 'replace', path: 'active', value });
	assert.equal(await works(), 200);
	await active(false);
	assert.equal(await works(), 401);
	assert.ok(await listed());
	await active(true);
	assert.equal(await works(), 403); // the workspace has to take it back, too
	await sim.workspaceScim('prod').patch(`/ServicePrincipals/${who.id}`, { op: 'replace', path: 'active', value: true });
	assert.equal(await works(), 200);
	await sim.assignments('prod').delete(`/principals/${who.id}`);
	assert.equal(await works(), 403);
	await sim.assignments('prod').put(`/principals/${who.id}`, { permissions: ['USER'] });
	assert.equal(await works(), 200);
	await sim.scim.delete(`/ServicePrincipals/${who.id}`);
	assert.equal(await works(), 403);
	assert.ok(!await listed());
});

test('a right to administer comes through a group, too', async () => {
	const { who, client } = await robot();
	apiError(await client.get('/api/2.0/token-management/tokens'), 403, 'PERMISSION_DENIED');
	const group = await sim.scim.make('/Groups', { displayName: fresh('ops'), members: [{ value: who.id }] });
	good(await sim.assignments('prod').put(`/principals/${group.id}`, { permissions: ['ADMIN'] }));
	good(await client.get('/api/2.0/token-management/tokens'));
});

test('lifetimes: the workspace\'s limit, and only for new ones', async () => {
	const life = async (body) => {
		const { token_info: info } = good(await own(prod, body));
		return (info.expiry_time - info.creation_time) / DAY;
	};
	assert.equal(await life({}), 730);
	const { token_info: old } = good(await own(prod, { lifetime_seconds: 700 * 86400 }));
	assert.equal((await conf({ maxTokenLifetimeDays: '90' })).status, 204);
	assert.equal(await life({}), 90);
	assert.equal(await life({ lifetime_seconds: 3 * 86400 }), 3);
	assert.equal(await life({ lifetime_seconds: String(2 * 86400) }), 2);
	apiError(await own(prod, { lifetime_seconds: 91 * 86400 }), 400, 'INVALID_PARAMETER_VALUE');
	assert.equal((await prod.read(`/api/2.0/token-management/tokens/${old.token_id}`)).token_info.expiry_time, old.expiry_time);
	await conf({ maxTokenLifetimeDays: '0' });
	assert.equal(await life({}), 730);
	for (const seconds of [731 * 86400, 0, -1])
		apiError(await own(prod, { lifetime_seconds: seconds }), 400, 'INVALID_PARAMETER_VALUE');
	apiError(await own(prod, { lifetime_seconds: [] }), 400, 'MALFORMED_REQUEST');
});

test('switched off, nobody makes or uses one; switched on, the old ones work again', async () => {
	const dev = await oauth('dev'), pat = sim.workspace('dev');
	const { token_value: text } = good(await own(dev));
	const count = (await managed(dev)).length;
	assert.equal((await conf({ enableTokensConfig: 'False' }, dev)).status, 204);
	apiError(await me(text, dev.base), 403, 'PERMISSION_DENIED', 'disabled');
	apiError(await pat.get('/api/2.0/token/list'), 403, 'PERMISSION_DENIED');
	apiError(await own(dev), 403, 'FEATURE_DISABLED');
	assert.equal((await managed(dev)).length, count);
	await conf({ enableTokensConfig: 'true' }, dev);
	assert.equal((await me(text, dev.base)).status, 200);
	assert.equal((await managed(dev)).length, count);
});

test('600 tokens per user and workspace', async () => {
	const { client } = await robot();
	for (let i = 1; i < 600; i++)
		good(await own(client, { comment: String(i) }));
	apiError(await own(client), 400, 'QUOTA_EXCEEDED');
	assert.equal((await client.read('/api/2.0/token/list')).token_infos.length, 600);
	const { token_infos: [first] } = await client.read('/api/2.0/token/list');
	await prod.delete(`/api/2.0/token-management/tokens/${first.token_id}`);
	good(await own(prod));
});

test('restricted admins need to be users of the service principal', async () => {
	const who = await sim.scim.make('/ServicePrincipals', { displayName: fresh('etl') });
	await sim.assignments('prod').put(`/principals/${who.id}`, { permissions: ['USER'] });
	const path = '/api/2.0/settings/types/restrict_workspace_admins/names/default';
	const set = async (status) => {
		const { etag } = await prod.read(path);
		return good(await prod.call('PATCH', path, { allow_missing: true, field_mask: 'restrict_workspace_admins.status',
			setting: { etag, setting_name: 'default', restrict_workspace_admins: { status } } }));
	};
	const make = () => prod.post('/api/2.0/token-management/on-behalf-of/tokens', { application_id: who.applicationId });
	await set('RESTRICT_TOKENS_AND_JOB_RUN_AS');
	apiError(await make(), 403, 'PERMISSION_DENIED', 'roles/servicePrincipal.user');
	const rules = `${sim.accountHost}/api/2.0/preview/accounts/${sim.accountId}/access-control/rule-sets`;
	const name = `accounts/${sim.accountId}/servicePrincipals/${who.applicationId}/ruleSets/default`;
	const { etag } = good(await request('GET', `${rules}?name=${name}&etag=`, { token: sim.token }));
	good(await request('PUT', rules, { token: sim.token, body: { name, rule_set: { name, etag,
		grant_rules: [{ role: 'roles/servicePrincipal.user', principals: [`servicePrincipals/${sim.first.client_id}`] }] } } }));
	good(await make());
	await set('ALLOW_ALL');
});

test('azure has no tokens on behalf', async () => {
	const azure = await Sim.start('--workspace', 'prod', '--cloud', 'azure');
	apiError(await azure.workspace('prod').post('/api/2.0/token-management/on-behalf-of/tokens',
		{ application_id: azure.first.client_id }), 403, 'FEATURE_DISABLED',
	'On-behalf-of token creation for service principals is not enabled for this workspace');
	await azure.stop();
});

test('quirks: dead tokens with 401, tokens without end, empty lists', async () => {
	const other = await Sim.start('--workspace', 'prod', '--quirk', 'dead-token-403=off', '--quirk', 'endless-tokens=on',
		'--quirk', 'absent-lists=off');
	const client = other.workspace('prod');
	const { token_info: info, token_value: text } = good(await own(client));
	assert.equal(info.expiry_time, -1);
	assert.deepEqual(await client.read('/api/2.0/token-management/tokens?created_by_username=nobody'), { token_infos: [] });
	await client.post('/api/2.0/token/delete', { token_id: info.token_id });
	apiError(await me(text, client.base), 401, 'UNAUTHORIZED');
	await conf({ maxTokenLifetimeDays: '5' }, client);
	assert.notEqual(good(await own(client)).token_info.expiry_time, -1);
	await other.stop();
});

test('lists that are empty have no key', async () => {
	assert.deepEqual(await prod.read('/api/2.0/token-management/tokens?created_by_username=nobody'), {});
});

test('seeded, expired, unused for long, and kept in a state file', async () => {
	const folder = mkdtempSync(join(tmpdir(), 'dbx-sim-')), now = Date.now();
	const seed = join(folder, 'seed'), state = join(folder, 'state');
	const token = (fields) => ({ token: { workspace: '6051', owner: '11', ...fields } });
	writeFileSync(seed, [
		{ workspace: { name: 'prod', id: '6051' } },
		{ user: { id: '11', userName: 'ada@example.com', seats: [{ workspace: '6051', level: 'USER' }] } },
		token({ secret: 'dapi1', comment: 'endless', creation_time: now - 400 * DAY, used: now - DAY }),
		token({ secret: 'dapi2', comment: 'expired', expiry_time: now - 1 }),
		token({ secret: 'dapi3', comment: 'idle', creation_time: now - 200 * DAY, used: now - 91 * DAY }),
	].map((line) => JSON.stringify(line)).join('\n'));
	const comments = async (one, path = '/api/2.0/token-management/tokens') =>
		(await one.read(path)).token_infos.map((info) => info.comment).filter((text) => text !== 'dbx-sim');
	let one = await Sim.start('--seed', seed, '--state', state);
	let client = one.workspace('prod');
	assert.deepEqual(await comments(client), ['endless']);
	const ada = new Client(client.base, 'dapi1');
	assert.equal((await ada.read('/api/2.0/preview/scim/v2/Me')).userName, 'ada@example.com');
	for (const dead of ['dapi2', 'dapi3'])
		assert.equal((await me(dead, client.base)).status, 403);
	const { token_value: text } = good(await own(ada, { comment: 'new' }));
	const [{ token_id: first }] = (await client.read('/api/2.0/token-management/tokens')).token_infos
		.filter((info) => info.comment === 'dbx-sim');
	const last = await oauthOf(one);
	good(await last.delete(`/api/2.0/token-management/tokens/${first}`));
	await one.stop();
	assert.ok(readFileSync(state, 'utf8').includes('"comment":"new"'));
	one = await Sim.start('--state', state, '--quirk', 'unused-tokens-end=off');
	client = await oauthOf(one);
	assert.deepEqual((await comments(client)).sort(), ['endless', 'idle', 'new']);
	assert.equal((await me(text, client.base)).status, 200);
	assert.equal((await me(one.first.workspaces.prod.token, client.base)).status, 403);
	await one.stop();
	rmSync(folder, { recursive: true });
});

async function oauthOf(one) {
	const { host: base } = one.first.workspaces.prod;
	return new Client(base, (await one.signIn(base, '/oidc')).json.access_token);
}

// Where tokens meet the ACL of authorization/tokens.
const RIGHTS = '/api/2.0/permissions/authorization/tokens';
const entry = (key, name, permission_level = 'CAN_USE') => ({ [key]: name, permission_level });
const ADMINS = entry('group_name', 'admins', 'CAN_MANAGE');
const setRights = (...list) => prod.put(RIGHTS, { access_control_list: [ADMINS, ...list] });

test('who loses the right to tokens loses the tokens, for good', async () => {
	const one = await robot(), two = await robot(), three = await robot();
	const group = await sim.scim.make('/Groups', { displayName: fresh('token users'), members: [{ value: one.who.id }] });
	await sim.assignments('prod').put(`/principals/${group.id}`, { permissions: ['USER'] });
	const works = (which) => Promise.all([one, two, three].map(async ({ token_value: text }) => (await me(text)).status === 200));
	const listed = async () => {
		const ids = (await managed()).map((info) => info.token_id);
		return [one, two, three].map(({ token_info: info }) => ids.includes(info.token_id));
	};
	assert.deepEqual(await works(), [true, true, true]);
	apiError(await prod.put(RIGHTS, { access_control_list: [] }), 400, 'INVALID_PARAMETER_VALUE',
		"Cannot change permissions for group 'admins' to None.");
	assert.deepEqual(await works(), [true, true, true]);
	good(await setRights(entry('group_name', group.displayName), entry('service_principal_name', two.who.applicationId)));
	assert.deepEqual([await works(), await listed()], [[true, true, false], [true, true, false]]);
	apiError(await prod.post('/api/2.0/token-management/on-behalf-of/tokens', { application_id: three.who.applicationId }), 403,
		'PERMISSION_DENIED', `User ${three.who.applicationId} does not have permission to use tokens.`);
	good(await setRights(entry('group_name', 'users')));
	assert.deepEqual([await works(), await listed()], [[true, true, false], [true, true, false]]);
	good(await prod.post('/api/2.0/token-management/on-behalf-of/tokens', { application_id: three.who.applicationId }));
	assert.equal((await me(prod.token)).status, 200);
});

test('leaving the group that has the right shuts out, without ending tokens', async () => {
	const one = await robot();
	const group = await sim.scim.make('/Groups', { displayName: fresh('token users'), members: [{ value: one.who.id }] });
	await sim.assignments('prod').put(`/principals/${group.id}`, { permissions: ['USER'] });
	good(await setRights(entry('group_name', group.displayName)));
	assert.equal((await me(one.token_value)).status, 200);
	await sim.scim.patch(`/Groups/${group.id}`, { op: 'remove', path: `members[value eq "${one.who.id}"]` });
	apiError(await me(one.token_value), 403, 'PERMISSION_DENIED', 'does not have permission to use tokens');
	await sim.scim.patch(`/Groups/${group.id}`, { op: 'add', path: 'members', value: [{ value: one.who.id }] });
	assert.equal((await me(one.token_value)).status, 200);
	good(await setRights(entry('group_name', 'users')));
});

test('tokens have no ACL before there are any, if it is so', async () => {
	const other = await Sim.start('--workspace', 'prod', '--quirk', 'tokens-acl-late=on');
	const client = other.workspace('prod');
	assert.equal((await client.get(RIGHTS)).status, 404);
	good(await own(client));
	assert.equal((await client.get(RIGHTS)).status, 200);
	await other.stop();
});

test('the published rate of token management', async () => {
	const other = await Sim.start('--workspace', 'prod', '--limits', 'published');
	const client = other.workspace('prod');
	const answers = await Promise.all(Array.from({ length: 300 }, () => client.get('/api/2.0/token-management/tokens')));
	const slow = answers.find((answer) => answer.status !== 200);
	apiError(slow, 429, 'REQUEST_LIMIT_EXCEEDED');
	assert.equal(slow.headers.get('retry-after'), '1');
	await other.stop();
});
