// workspace-conf, typed settings of both versions, IP access lists.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Sim, request } from './harness.mjs';

let sim, prod, dev, account, serial = 0;
before(async () => {
	sim = await Sim.start('--workspace', 'prod', '--workspace', 'dev', '--quirk', 'trust-forwarded-for=on');
	prod = sim.workspace('prod');
	dev = sim.workspace('dev');
	account = sim.account;
});
after(() => sim.stop());

const fresh = (word) => `${word} ${++serial}`;
const refused = (answer, status, code, text = '') => {
	assert.equal(answer.status, status, answer.text);
	assert.equal(answer.json.error_code, code, answer.text);
	assert.ok(answer.json.message.includes(text), answer.text);
};
const good = (answer) => {
	assert.equal(answer.status, 200, answer.text);
	return answer.json;
};
const patch = (client, path, body) => client.call('PATCH', path, body);
const CONF = '/api/2.0/workspace-conf';
const conf = (body, client = prod) => patch(client, CONF, body);

test('workspace-conf: texts as they came, null for what was never set', async () => {
	assert.deepEqual(await prod.read(`${CONF}?keys=enableDcs`), { enableDcs: null });
	const answer = await conf({ enableWebTerminal: 'TRue', projectsAllowList: '' });
	assert.deepEqual([answer.status, answer.text], [204, '']);
	assert.deepEqual(await prod.read(`${CONF}?keys=enableWebTerminal%2CprojectsAllowList,enable-X-Frame-Options`),
		{ enableWebTerminal: 'TRue', projectsAllowList: '', 'enable-X-Frame-Options': null });
	assert.deepEqual(await dev.read(`${CONF}?keys=enableWebTerminal`), { enableWebTerminal: null });
});

test('workspace-conf: unknown keys and refused values change nothing', async () => {
	refused(await prod.get(`${CONF}?keys=enableDcs,k1,enableByocUi`), 400, 'INVALID_REQUEST', 'Invalid keys: ["k1", "enableByocUi"]');
	refused(await conf({ enableDcs: 'true', x: 'true' }), 400, 'INVALID_REQUEST', 'Invalid keys: ["x"]');
	for (const body of [{ maxTokenLifetimeDays: '' }, { maxTokenLifetimeDays: 90 }, { maxTokenLifetimeDays: '731' },
		{ maxTokenLifetimeDays: '-1' }, { enableIpAccessLists: '' }, { enableGp3: '' }, { enableDcs: true }, { enableDcs: 'yes' }])
		refused(await conf({ enableWebTerminal: 'false', ...body }), 400, 'INVALID_REQUEST',
			`Some values are not allowed: ${JSON.stringify(body)}`);
	assert.deepEqual(await prod.read(`${CONF}?keys=enableWebTerminal,enableDcs`), { enableWebTerminal: 'TRue', enableDcs: null });
	assert.equal((await conf({ maxTokenLifetimeDays: '90', maxUserInactiveDays: '' })).status, 204);
	for (const answer of [await conf({}), await prod.get(CONF)])
		refused(answer, 400, 'INVALID_REQUEST');
	refused(await prod.call('PATCH', CONF, '[]'), 400, 'MALFORMED_REQUEST');
	await conf({ maxTokenLifetimeDays: '0' });
});

const TYPE = (type) => `/api/2.0/settings/types/${type}/names/default`;
const write = (field, value, etag, more) => ({ allow_missing: true, field_mask: `${field}.${Object.keys(value)[0]}`,
	setting: { ...(etag === undefined ? {} : { etag }), setting_name: 'default', [field]: value }, ...more });
const etagOf = (answer) => answer.json.details[0].metadata.etag;

test('a setting that was never set: default, 404 with the etag, then done', async () => {
	const path = TYPE('disable_legacy_access'), field = 'disable_legacy_access';
	const first = await prod.read(path);
	assert.deepEqual([first.setting_name, first[field]], ['default', { value: false }]);
	for (const etag of [undefined, '']) {
		const answer = await patch(prod, path, write(field, { value: true }, etag));
		refused(answer, 404, 'NOT_FOUND');
		assert.equal(answer.json.details[0]['@type'], 'type.googleapis.com/google.rpc.ErrorInfo');
		assert.equal(etagOf(answer), first.etag);
	}
	const done = good(await patch(prod, path, write(field, { value: true }, first.etag)));
	assert.deepEqual(done[field], { value: true });
	assert.notEqual(done.etag, first.etag);
	assert.match(done.etag, /\+.*\/.*=/);
	assert.deepEqual(await prod.read(path), done);
	assert.deepEqual((await dev.read(path))[field], { value: false });
});

test('a stale etag: 409 with the fresh one', async () => {
	const path = TYPE('disable_legacy_dbfs'), field = 'disable_legacy_dbfs';
	const { etag: first } = await prod.read(path);
	const { etag: second } = good(await patch(prod, path, write(field, { value: true }, first)));
	for (const etag of [first, '', 'x']) {
		const answer = await patch(prod, path, write(field, { value: false }, etag));
		refused(answer, 409, 'RESOURCE_CONFLICT');
		assert.equal(etagOf(answer), second);
	}
	refused(await prod.delete(`${path}?etag=${encodeURIComponent(first)}`), 409, 'RESOURCE_CONFLICT');
	refused(await prod.delete(`${path}?etag=${second}`), 409, 'RESOURCE_CONFLICT'); // + was not escaped
	const deleted = good(await prod.delete(`${path}?etag=${encodeURIComponent(second)}`));
	const now = await prod.read(path);
	assert.deepEqual([now.etag, now[field]], [deleted.etag, { value: false }]);
	const answer = await patch(prod, path, write(field, { value: true }, ''));
	refused(answer, 404, 'NOT_FOUND');
	good(await patch(prod, path, write(field, { value: true }, etagOf(answer))));
});

test('what settings refuse', async () => {
	const path = TYPE('restrict_workspace_admins'), field = 'restrict_workspace_admins';
	const { etag } = await prod.read(path);
	const body = write(field, { status: 'ALLOW_ALL' }, etag);
	refused(await patch(prod, path, { ...body, allow_missing: false }), 400, 'INVALID_PARAMETER_VALUE', 'allow_missing');
	refused(await patch(prod, path, { ...body, field_mask: undefined }), 400, 'INVALID_PARAMETER_VALUE', 'field_mask');
	refused(await patch(prod, path, { ...body, field_mask: 'other.value' }), 400, 'INVALID_PARAMETER_VALUE', 'field_mask');
	refused(await patch(prod, path, write(field, { status: 'NONE' }, etag)), 400, 'INVALID_PARAMETER_VALUE', field);
	refused(await patch(prod, TYPE('disable_legacy_access'), write('disable_legacy_access', { value: 'true' }, '')), 400,
		'INVALID_PARAMETER_VALUE');
	refused(await prod.get(TYPE('none')), 404, 'NOT_FOUND');
	refused(await prod.get(TYPE('default_namespace_ws')), 404, 'NOT_FOUND');
	assert.ok(etagOf(await prod.get(TYPE('default_namespace_ws'))));
	refused(await prod.delete(TYPE('automatic_cluster_update')), 404, 'ENDPOINT_NOT_FOUND');
});

test('a mask changes what it names', async () => {
	const path = TYPE('restrict_workspace_admins'), field = 'restrict_workspace_admins';
	const { etag } = await prod.read(path);
	const value = { status: 'RESTRICT_TOKENS_AND_JOB_RUN_AS', disable_gov_tag_creation: true };
	const one = good(await patch(prod, path, { ...write(field, value, etag), field_mask: `${field}.disable_gov_tag_creation` }));
	assert.deepEqual(one[field], { status: 'ALLOW_ALL', disable_gov_tag_creation: true });
	const all = good(await patch(prod, path, { ...write(field, value, one.etag), field_mask: '*' }));
	assert.deepEqual(all[field], value);
	good(await prod.delete(`${path}?etag=${encodeURIComponent(all.etag)}`));
});

test('only an account admin who is in the workspace restricts its admins', async () => {
	const who = await sim.scim.make('/ServicePrincipals', { displayName: 'ops' });
	await sim.assignments('prod').put(`/principals/${who.id}`, { permissions: ['ADMIN'] });
	const { token_value: text } = good(await prod.post('/api/2.0/token-management/on-behalf-of/tokens',
		{ application_id: who.applicationId }));
	const client = new Client(prod.base, text), path = TYPE('restrict_workspace_admins');
	const { etag } = await client.read(path);
	const change = () => patch(client, path, write('restrict_workspace_admins', { status: 'ALLOW_ALL' }, etag));
	refused(await change(), 403, 'PERMISSION_DENIED');
	await sim.scim.patch(`/ServicePrincipals/${who.id}`, { op: 'add', path: 'roles', value: [{ value: 'account_admin' }] });
	good(await change());
});

test('settings without etag', async () => {
	const path = TYPE('enable-export-notebook');
	assert.deepEqual(await prod.read(path), { setting_name: 'default', boolean_val: { value: true } });
	assert.deepEqual(good(await patch(prod, path, write('boolean_val', { value: false }))),
		{ setting_name: 'default', boolean_val: { value: false } });
	refused(await prod.delete(path), 404, 'ENDPOINT_NOT_FOUND');
});

test('settings of the account', async () => {
	const path = '/settings/types/dcp_acct_enable/names/default';
	const { etag, personal_compute: value } = await account.read(path);
	assert.deepEqual(value, { value: 'ON' });
	good(await account.call('PATCH', path, write('personal_compute', { value: 'DELEGATE' }, etag)));
	assert.deepEqual((await account.read(path)).personal_compute, { value: 'DELEGATE' });
	refused(await account.get('/settings/types/restrict_workspace_admins/names/default'), 404, 'NOT_FOUND');
	const elsewhere = await prod.get(`/api/2.0/accounts/${sim.accountId}${path}`);
	assert.deepEqual([elsewhere.status, elsewhere.text.startsWith('<html>')], [404, true]);
});

test('version 2.1 shows and sets the same values', async () => {
	const path = '/api/2.1/settings/sql_results_download';
	assert.deepEqual(await prod.read(path), { name: 'sql_results_download', effective_boolean_val: { value: true } });
	const set = { name: 'sql_results_download', boolean_val: { value: false }, effective_boolean_val: { value: false } };
	assert.deepEqual(good(await patch(prod, path, { name: 'x', boolean_val: { value: false } })), set);
	assert.deepEqual(await prod.read(path), set);
	assert.deepEqual((await prod.read(TYPE('sql_results_download'))).boolean_val, { value: false });
	refused(await patch(prod, path, { string_val: { value: 'x' } }), 400, 'INVALID_PARAMETER_VALUE', 'boolean_val');
	refused(await patch(prod, path, { boolean_val: { value: 'x' } }), 400, 'INVALID_PARAMETER_VALUE');
	const names = [];
	for (let token = ''; token !== undefined;) {
		const page = await prod.read(`/api/2.1/settings-metadata?page_size=5&page_token=${token}`);
		names.push(...page.settings_metadata.map((one) => one.name));
		token = page.next_page_token;
	}
	assert.ok(names.includes('restrict_workspace_admins') && names.length > 10);
	const other = await request('GET', `${sim.accountHost}/api/2.1/accounts/${sim.accountId}/settings/acct_ip_acl_enable`, { token: sim.token });
	assert.deepEqual(good(other).effective_boolean_val, { value: true });
});

// IP access lists. Requests say in a header where they come from.
const LISTS = '/api/2.0/ip-access-lists';
const from = (address) => ({ 'x-forwarded-for': address });
const list = (label, type, ...ip_addresses) => ({ label, list_type: type, ip_addresses });
const empty = async (client, path) => {
	for (const one of (await client.read(path)).ip_access_lists ?? [])
		good(await client.delete(`${path}/${one.list_id}`));
};
const makeList = async (client, path, body) => good(await client.post(path, body)).ip_access_list;

for (const [name, place] of [['a workspace', () => [dev, LISTS]], ['the account', () => [account, '/ip-access-lists']]]) {
	test(`IP lists of ${name}: all verbs`, async () => {
		const [client, path] = place();
		await empty(client, path);
		assert.deepEqual(await client.read(path), {});
		const made = await makeList(client, path, list('office', 'BLOCK', '10.0.10.25', '10.0.10.0/24', '2.2.2.2/21'));
		assert.match(made.list_id, /^[0-9a-f-]{36}$/);
		assert.deepEqual([made.label, made.list_type, made.address_count, made.enabled], ['office', 'BLOCK', 3, true]);
		assert.ok(made.created_at && made.updated_at && made.created_by && made.updated_by);
		assert.deepEqual((await client.read(path)).ip_access_lists, [made]);
		assert.deepEqual((await client.read(`${path}/${made.list_id}`)).ip_access_list, made);
		good(await client.call('PATCH', `${path}/${made.list_id}`, { enabled: false, ip_addresses: ['192.0.2.0/24'] }));
		const changed = (await client.read(`${path}/${made.list_id}`)).ip_access_list;
		assert.deepEqual([changed.label, changed.enabled, changed.ip_addresses, changed.address_count],
			['office', false, ['192.0.2.0/24'], 1]);
		refused(await client.put(`${path}/${made.list_id}`, list('office 2', 'BLOCK')), 400, 'INVALID_PARAMETER_VALUE', 'enabled');
		good(await client.put(`${path}/${made.list_id}`, { ...list('office 2', 'BLOCK'), enabled: true, ip_addresses: undefined }));
		const replaced = (await client.read(`${path}/${made.list_id}`)).ip_access_list;
		assert.deepEqual([replaced.label, replaced.ip_addresses, replaced.address_count, replaced.created_at],
			['office 2', [], 0, made.created_at]);
		good(await client.delete(`${path}/${made.list_id}`));
		for (const answer of [await client.get(`${path}/${made.list_id}`), await client.delete(`${path}/${made.list_id}`),
			await client.put(`${path}/${made.list_id}`, { ...list('x', 'BLOCK'), enabled: true })])
			refused(answer, 404, 'RESOURCE_DOES_NOT_EXIST', `Can't find an IP access list with id: ${made.list_id}.`);
	});

	test(`IP lists of ${name}: what is refused`, async () => {
		const [client, path] = place();
		await empty(client, path);
		for (const body of [list('', 'ALLOW'), { list_type: 'ALLOW' }, list('x', 'allow'), { label: 'x' }, list('x', 'BLOCK', '::1'),
			list('x', 'BLOCK', '10.0.0.0/33'), list('x', 'BLOCK', '10.0.0'), list('x', 'BLOCK', '10.0.0.1 ')])
			refused(await client.post(path, body), 400, 'INVALID_PARAMETER_VALUE');
		refused(await client.post(path, { ...list('x', 'BLOCK'), ip_addresses: '10.0.0.1' }), 400, 'MALFORMED_REQUEST');
		const first = await makeList(client, path, list('x', 'BLOCK'));
		refused(await client.post(path, list('x', 'BLOCK')), 400, 'RESOURCE_ALREADY_EXISTS',
			'IP access list with type (BLOCK) and label (x) already exists');
		const many = Array.from({ length: 999 }, (_, i) => `10.1.${i >> 8}.${i & 255}`);
		const full = await makeList(client, path, list('many', 'BLOCK', ...many));
		refused(await client.call('PATCH', `${path}/${first.list_id}`, { ip_addresses: ['10.2.0.1', '10.2.0.2'] }), 400, 'QUOTA_EXCEEDED');
		assert.deepEqual((await client.read(`${path}/${first.list_id}`)).ip_access_list, first);
		good(await client.call('PATCH', `${path}/${first.list_id}`, { ip_addresses: ['10.2.0.1'] }));
		refused(await client.call('PATCH', `${path}/${full.list_id}`, { label: 'x' }), 400, 'RESOURCE_ALREADY_EXISTS');
		await empty(client, path);
	});
}

test('lists have no effect until they are switched on, and then for every call', async () => {
	const me = (address) => dev.get('/api/2.0/preview/scim/v2/Me', from(address));
	const post = (body, address) => dev.post(LISTS, body, from(address));
	await empty(dev, LISTS);
	good(await post(list('home', 'ALLOW', '203.0.113.0/24'), '198.51.100.1'));
	assert.equal((await me('198.51.100.1')).status, 200);
	const on = (address) => dev.call('PATCH', CONF, { enableIpAccessLists: 'true' }, from(address));
	refused(await on('198.51.100.1'), 400, 'INVALID_STATE', 'Your current IP 198.51.100.1 will not be allowed to access the workspace under current configuration');
	assert.equal((await on('203.0.113.7')).status, 204);
	const blocked = await me('198.51.100.1');
	assert.equal(blocked.status, 403);
	assert.strictEqual(blocked.json.error_code, 403);
	assert.ok(blocked.json.message.startsWith(
		`Source IP address: 198.51.100.1 is blocked by Databricks IP ACL for workspace: ${sim.workspaceIdText('dev')} [ReqId: `));
	assert.equal((await me('203.0.113.7')).status, 200);
	assert.equal((await prod.get('/api/2.0/preview/scim/v2/Me', from('198.51.100.1'))).status, 200);
	// In both: out. The guard refuses what would shut the caller out, and stores nothing.
	refused(await post(list('bad', 'BLOCK', '203.0.113.7'), '203.0.113.7'), 400, 'INVALID_STATE', 'Your current IP 203.0.113.7');
	assert.equal((await dev.get(LISTS, from('203.0.113.7'))).json.ip_access_lists.length, 1);
	good(await post(list('bad', 'BLOCK', '203.0.113.8'), '203.0.113.7'));
	assert.equal((await me('203.0.113.8')).status, 403);
	assert.equal((await me('203.0.113.9')).status, 200);
	const lists = (await dev.get(LISTS, from('203.0.113.7'))).json.ip_access_lists;
	const home = lists.find((one) => one.label === 'home'), bad = lists.find((one) => one.label === 'bad');
	const change = (one, body, address) => dev.call('PATCH', `${LISTS}/${one.list_id}`, body, from(address));
	refused(await change(home, { ip_addresses: ['198.51.100.0/24'] }, '203.0.113.7'), 400, 'INVALID_STATE');
	// The last ALLOW list off: all but the blocked get in.
	good(await change(home, { enabled: false }, '203.0.113.7'));
	assert.equal((await me('198.51.100.1')).status, 200);
	assert.equal((await me('203.0.113.8')).status, 403);
	good(await change(bad, { enabled: false }, '203.0.113.7'));
	assert.equal((await me('203.0.113.8')).status, 200);
	good(await change(home, { enabled: true }, '203.0.113.7'));
	// Two ALLOW lists: deleting the one that lets the caller in would shut it out.
	const second = good(await post(list('other', 'ALLOW', '192.0.2.0/24'), '203.0.113.7')).ip_access_list;
	refused(await dev.call('DELETE', `${LISTS}/${home.list_id}`, undefined, from('203.0.113.7')), 400, 'INVALID_STATE');
	good(await dev.call('DELETE', `${LISTS}/${second.list_id}`, undefined, from('203.0.113.7')));
	assert.equal((await dev.call('PATCH', CONF, { enableIpAccessLists: 'FALSE' }, from('203.0.113.7'))).status, 204);
	assert.equal((await me('198.51.100.1')).status, 200);
	await empty(dev, LISTS);
});

test('lists of the account are on until they are switched off', async () => {
	const read = (address) => account.get('/workspaces', from(address));
	const path = '/settings/types/acct_ip_acl_enable/names/default';
	await empty(account, '/ip-access-lists');
	refused(await account.post('/ip-access-lists', list('home', 'ALLOW', '203.0.113.0/24'), from('192.0.2.1')), 400, 'INVALID_STATE', 'Your current IP 192.0.2.1');
	good(await account.post('/ip-access-lists', list('home', 'ALLOW', '203.0.113.0/24'), from('203.0.113.1')));
	assert.strictEqual((await read('192.0.2.1')).json.error_code, 403);
	assert.equal((await dev.get(LISTS, from('192.0.2.1'))).status, 200);
	const { etag } = (await account.get(path, from('203.0.113.1'))).json;
	const off = good(await account.call('PATCH', path, write('acct_ip_acl_enable', { value: false }, etag), from('203.0.113.1')));
	assert.equal((await read('192.0.2.1')).status, 200);
	good(await account.call('DELETE', `${path}?etag=${encodeURIComponent(off.etag)}`, undefined, from('203.0.113.1')));
	assert.equal((await read('192.0.2.1')).status, 403);
	const [one] = (await account.get('/ip-access-lists', from('203.0.113.1'))).json.ip_access_lists;
	good(await account.call('DELETE', `/ip-access-lists/${one.list_id}`, undefined, from('203.0.113.1')));
	assert.equal((await read('192.0.2.1')).status, 200);
});

test('a pretended address, a tier without lists, a guard that is always on', async () => {
	const other = await Sim.start('--workspace', 'prod', '--egress-address', '192.0.2.77', '--quirk', 'ip-guard-always=on');
	const client = other.workspace('prod');
	refused(await client.post(LISTS, list('x', 'ALLOW', '198.51.100.0/24')), 400, 'INVALID_STATE', 'Your current IP 192.0.2.77');
	good(await client.post(LISTS, list('x', 'ALLOW', '192.0.2.64/27')));
	assert.equal((await patch(client, CONF, { enableIpAccessLists: 'true' })).status, 204);
	assert.equal((await client.get(LISTS, from('198.51.100.1'))).status, 200); // the header is not trusted
	await other.stop();
	const basic = await Sim.start('--workspace', 'prod', '--quirk', 'ip-lists=off');
	const text = 'IP access list is not available in the pricing tier of this workspace';
	refused(await basic.workspace('prod').get(LISTS), 403, 'FEATURE_DISABLED', text);
	refused(await basic.workspace('prod').post(LISTS, list('x', 'ALLOW')), 403, 'FEATURE_DISABLED', text);
	await basic.stop();
});

test('kept in a state file', async () => {
	const folder = mkdtempSync(join(tmpdir(), 'dbx-sim-')), state = join(folder, 'state');
	let one = await Sim.start('--workspace', 'prod', '--state', state);
	let client = one.workspace('prod');
	await patch(client, CONF, { enableDcs: 'true' });
	await client.post(LISTS, list('x', 'BLOCK', '198.51.100.0/24'));
	const path = TYPE('disable_legacy_dbfs');
	good(await patch(client, path, write('disable_legacy_dbfs', { value: true }, (await client.read(path)).etag)));
	const read = async () => [await client.read(LISTS), await client.read(path), await client.read(`${CONF}?keys=enableDcs`)];
	const before = await read();
	await one.stop();
	one = await Sim.start('--state', state);
	client = one.workspace('prod');
	assert.deepEqual(await read(), before);
	await one.stop();
	rmSync(folder, { recursive: true });
});
