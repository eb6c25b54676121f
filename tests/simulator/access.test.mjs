// The server's side of sign-in, of the list of workspaces and of assignment.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { Client, Sim, request } from './harness.mjs';

let sim, scim, prod, serial = 0;
before(async () => {
	sim = await Sim.start('--workspace', 'prod', '--workspace', 'dev', '--account', 'a0000000-0000-4000-8000-000000000000');
	scim = sim.scim;
	prod = sim.assignments('prod');
});
after(() => sim.stop());

const fresh = (word) => `${word}-${++serial}`;
const user = () => scim.make('/Users', { userName: `${fresh('sample')}@example.com`, displayName: 'Ada Sample' });
const group = (displayName = fresh('group')) => scim.make('/Groups', { displayName });
const put = (who, body, name = 'prod') => sim.assignments(name).put(`/principals/${who.id}`, body);
const entry = async (who, name = 'prod') => (await sim.assignments(name).read('')).permission_assignments
	.find((one) => one.principal.principal_id === Number(who.id));
const level = async (who, name) => (await entry(who, name))?.permissions;
const apiError = (answer, status, code, message) => {
	assert.equal(answer.status, status, answer.text);
	assert.equal(answer.json.error_code, code, answer.text);
	if (message)
		assert.equal(answer.json.message, message);
};

test('the first line has exactly what the clients need', () => {
	const { first } = sim;
	assert.deepEqual(Object.keys(first), ['account', 'client_id', 'client_secret', 'workspaces']);
	assert.deepEqual(Object.keys(first.account), ['host', 'account_id']);
	assert.equal(first.account.account_id, 'a0000000-0000-4000-8000-000000000000');
	assert.match(first.client_secret, /^dose[0-9a-f]{32}$/);
	assert.deepEqual(Object.keys(first.workspaces), ['prod', 'dev']);
	for (const one of Object.values(first.workspaces)) {
		assert.deepEqual(Object.keys(one), ['host', 'id', 'token']);
		assert.match(one.host, /^http:\/\/127\.0\.0\.1:[0-9]+$/);
		assert.ok(Number.isSafeInteger(one.id));
		assert.match(one.token, /^dapi[0-9a-f]{32}$/);
	}
});

test('host metadata', async () => {
	const account = await request('GET', `${sim.accountHost}/.well-known/databricks-config`);
	assert.deepEqual(account.json, { oidc_endpoint: `${sim.accountHost}/oidc/accounts/{account_id}`, cloud: 'AWS', host_type: 'account' });
	const { host } = sim.first.workspaces.prod;
	const workspace = await request('GET', `${host}/.well-known/databricks-config`);
	assert.deepEqual(workspace.json, { oidc_endpoint: `${host}/oidc`, account_id: sim.accountId,
		workspace_id: sim.workspaceIdText('prod'), cloud: 'AWS', host_type: 'workspace' });
});

test('discovery, also behind a proxy that ends TLS', async () => {
	const { host } = sim.first.workspaces.prod;
	const read = async (url, headers) => (await request('GET', url, { headers })).json.token_endpoint;
	assert.equal(await read(`${host}/oidc/.well-known/oauth-authorization-server`), `${host}/oidc/v1/token`);
	const path = `/oidc/accounts/${sim.accountId}`;
	assert.equal(await read(`${sim.accountHost}${path}/.well-known/oauth-authorization-server`),
		`${sim.accountHost}${path}/v1/token`);
	assert.equal(await read(`${host}/oidc/.well-known/oauth-authorization-server`, { 'x-forwarded-proto': 'https' }),
		`${host.replace('http:', 'https:')}/oidc/v1/token`);
	const other = await request('GET', `${sim.accountHost}/oidc/accounts/other/.well-known/oauth-authorization-server`);
	assert.equal(other.status, 404);
});

test('a token, and what the endpoint refuses', async () => {
	const { host } = sim.first.workspaces.prod;
	const good = await sim.signIn(host, '/oidc');
	assert.equal(good.status, 200);
	assert.deepEqual({ ...good.json, access_token: '' }, { access_token: '', token_type: 'Bearer', expires_in: 3600, scope: 'all-apis' });
	const form = { 'content-type': 'application/x-www-form-urlencoded' };
	const { client_id, client_secret } = sim.first;
	for (const [status, error, options] of [
		[401, 'invalid_client', { secret: 'wrong' }],
		[401, 'invalid_client', { id: 'wrong' }],
		[401, 'invalid_client', { headers: form }],
		[401, 'invalid_client', { headers: form, form: `grant_type=client_credentials&client_id=${client_id}&client_secret=${client_secret}` }],
		[400, 'unsupported_grant_type', { form: 'grant_type=password' }],
		[400, 'invalid_request', { form: 'scope=all-apis' }],
		[400, 'invalid_scope', { form: 'grant_type=client_credentials&scope=everything' }],
		[400, 'invalid_request', { headers: { 'content-type': 'application/json' } }],
	]) {
		const answer = await sim.signIn(host, '/oidc', options);
		assert.deepEqual([answer.status, answer.json.error], [status, error], JSON.stringify(options));
	}
});

test('where a token is good', async () => {
	const hosts = { account: sim.accountHost, prod: sim.first.workspaces.prod.host, dev: sim.first.workspaces.dev.host };
	const tokens = {
		account: sim.token,
		oauth: (await sim.signIn(hosts.prod, '/oidc')).json.access_token,
		pat: sim.first.workspaces.prod.token,
		nonsense: 'dapi00000000000000000000000000000000',
	};
	const path = { account: `/api/2.0/accounts/${sim.accountId}/scim/v2/Users`, prod: '/api/2.0/preview/scim/v2/Me',
		dev: '/api/2.0/preview/scim/v2/Me' };
	for (const [name, want] of [
		['account', { account: 200, prod: 200, dev: 200 }],
		['oauth', { account: 401, prod: 200, dev: 403 }],
		['pat', { account: 401, prod: 200, dev: 403 }],
		['nonsense', { account: 401, prod: 401, dev: 401 }],
	]) {
		for (const [host, status] of Object.entries(want)) {
			const answer = await request('GET', hosts[host] + path[host], { token: tokens[name] });
			assert.equal(answer.status, status, `${name} at ${host}`);
			if (status === 401)
				apiError(answer, 401, 'UNAUTHORIZED');
			if (status === 403)
				apiError(answer, 403, 'PERMISSION_DENIED', `Unauthorized access to Org: ${sim.workspaceIdText(host)}`);
		}
	}
	apiError(await request('GET', hosts.account + path.account), 401, 'UNAUTHORIZED');
	const basic = { authorization: 'Basic dXNlcjpwYXNzd29yZA==' };
	apiError(await request('GET', hosts.account + path.account, { headers: basic }), 401, 'UNAUTHORIZED');
});

test('the workspace header: right, wrong, and where it must not be', async () => {
	const workspace = sim.workspaceScim('prod');
	const id = sim.workspaceIdText('prod');
	assert.equal((await workspace.get('/Me', { 'x-databricks-workspace-id': id })).status, 200);
	assert.equal((await workspace.get('/Me', { 'x-databricks-org-id': id })).status, 200);
	apiError(await workspace.get('/Me', { 'x-databricks-workspace-id': '1' }), 403, 'PERMISSION_DENIED');
	apiError(await scim.get('/Users', { 'x-databricks-workspace-id': id }), 400, 'INVALID_PARAMETER_VALUE');
});

test('a unified host: the header chooses the workspace', async () => {
	const own = await Sim.start('--workspace', 'prod', '--workspace', 'dev', '--quirk', 'unified-host=on');
	const { accountHost: host, accountId } = own;
	const call = (path, name, token = own.token) => request('GET', `${host}${path}`, { token,
		headers: name ? { 'x-databricks-workspace-id': own.workspaceIdText(name) } : {} });
	assert.equal((await call('/.well-known/databricks-config')).json.host_type, 'unified');
	assert.deepEqual((await own.account.read('/workspaces')).map((one) => one.workspace_url), [host, host]);
	for (const name of ['prod', 'dev']) {
		const me = await call('/api/2.0/preview/scim/v2/Me', name);
		assert.deepEqual([me.json.userName, me.headers.get('x-databricks-org-id')], [own.first.client_id, own.workspaceIdText(name)]);
	}
	const { prod } = own.first.workspaces;
	assert.equal((await call('/api/2.0/preview/scim/v2/Me', 'prod', prod.token)).status, 200);
	assert.equal((await call('/api/2.0/preview/scim/v2/Me', 'dev', prod.token)).status, 403);
	assert.equal((await call('/api/2.0/permissions/authorization/tokens', 'prod')).json.object_type, 'tokens');
	assert.equal((await call('/api/2.0/preview/accounts/access-control/assignable-roles?resource=accounts/' + accountId, 'prod')).status, 200);
	// Without it, or with one of none, there is no workspace; on the account's own paths it is refused.
	assert.ok((await call('/api/2.0/preview/scim/v2/Me')).text.startsWith('<html>'));
	assert.equal((await request('GET', `${host}/api/2.0/preview/scim/v2/Me`, { token: own.token, headers: { 'x-databricks-workspace-id': '1' } })).status, 404);
	apiError(await call(`/api/2.0/accounts/${accountId}/scim/v2/Users`, 'prod'), 400, 'INVALID_PARAMETER_VALUE');
	await own.stop();
});

test('paths on the wrong host are pages', async () => {
	const { host, token } = sim.first.workspaces.prod;
	for (const [url, status] of [
		[`${host}/api/2.0/accounts/${sim.accountId}/scim/v2/Users`, 404],
		[`${host}/api/2.0/accounts/${sim.accountId}/workspaces`, 404],
		[`${sim.accountHost}/api/2.0/preview/scim/v2/Users`, 404],
		[`${sim.accountHost}/api/2.0/preview/permissionassignments`, 404],
		[`${sim.accountHost}/api/2.0/accounts//scim/v2/Users`, 405],
	]) {
		const answer = await request('GET', url, { token });
		assert.equal(answer.status, status, url);
		assert.ok(answer.text.startsWith('<html>'));
	}
	const empty = await request('POST', `${sim.accountHost}/api/2.0/accounts//scim/v2/Users`, { token, body: {} });
	assert.ok(empty.text.includes('HTTP method POST is not supported by this URL'));
	apiError(await request('POST', `${host}/api/9.9/x?y`, { token, body: {} }), 404, 'ENDPOINT_NOT_FOUND',
		"No API found for 'POST /api/9.9/x?y'");
	apiError(await request('GET', `${sim.accountHost}/api/2.0/accounts/${'0'.repeat(8)}/scim/v2/Users`, { token: sim.token }),
		404, 'NOT_FOUND');
});

test('workspaces: a bare list, one, none', async () => {
	const list = await sim.account.read('/workspaces');
	assert.deepEqual(list.map((one) => [one.workspace_name, one.workspace_status, one.workspace_url]),
		Object.entries(sim.first.workspaces).map(([name, { host }]) => [name, 'RUNNING', host]));
	assert.deepEqual(await sim.account.read(`/workspaces/${sim.workspaceIdText('dev')}`), list[1]);
	apiError(await sim.account.get('/workspaces/1'), 404, 'NOT_FOUND');
});

test('no workspace at all is an empty list', async () => {
	const bare = await Sim.start();
	assert.deepEqual(await bare.account.read('/workspaces'), []);
	await bare.stop();
});

test('assignment: words and what they mean', async () => {
	const ada = await user();
	for (const [body, want] of [
		[{ permissions: ['USER'] }, ['USER']],
		[{ permissions: ['USER', 'ADMIN'] }, ['ADMIN']],
		[{ permissions: ['ADMIN', 'USER'] }, ['ADMIN']],
		[{ permissions: ['USER'] }, ['USER']],
		[{ permissions: ['USER', 'OWNER'] }, ['USER']],
		[{ permissions: [] }, undefined],
		[{ permissions: ['ADMIN'] }, ['ADMIN']],
		[{ permissions: ['FOO'] }, undefined],
		[{ permissions: ['USER'] }, ['USER']],
		[{ permissions: ['user'] }, undefined],
		[{ permissions: ['USER'] }, ['USER']],
		[{}, undefined],
		[{ permissions: ['USER'] }, ['USER']],
		[undefined, undefined],
	]) {
		const answer = await put(ada, body);
		assert.equal(answer.status, 200, answer.text);
		assert.deepEqual(answer.json.permissions, want ?? [], JSON.stringify(body));
		assert.deepEqual(await level(ada), want, JSON.stringify(body));
	}
});

test('assignment: the kind shows in the name', async () => {
	const [ada, eng, etl] = [await user(), await group(), await scim.make('/ServicePrincipals', { displayName: 'etl' })];
	for (const who of [ada, eng, etl])
		await put(who, { permissions: ['USER'] });
	const of = async (who) => (await entry(who)).principal;
	assert.deepEqual(await of(ada), { principal_id: Number(ada.id), display_name: 'Ada Sample', user_name: ada.userName });
	assert.deepEqual(await of(eng), { principal_id: Number(eng.id), display_name: eng.displayName, group_name: eng.displayName });
	assert.deepEqual(await of(etl), { principal_id: Number(etl.id), display_name: 'etl', service_principal_name: etl.applicationId });
	assert.equal((await prod.delete(`/principals/${etl.id}`)).text, '{}');
	assert.equal(await entry(etl), undefined);
});

test('assignment: nobody, nowhere', async () => {
	apiError(await put({ id: '12345' }, { permissions: ['USER'] }), 404, 'RESOURCE_DOES_NOT_EXIST', 'Principal not found in account.');
	const nowhere = new Client(`${sim.account.base}/workspaces/0/permissionassignments`, sim.token);
	apiError(await nowhere.put('/principals/1', { permissions: ['USER'] }), 404, 'RESOURCE_DOES_NOT_EXIST',
		'Principal not found in account.');
	const { json } = await prod.get('/permissions');
	assert.deepEqual(json.permissions.map((one) => one.permission_level), ['USER', 'ADMIN']);
});

test('assignment: ends with the principal', async () => {
	const ada = await user();
	await put(ada, { permissions: ['ADMIN'] }, 'dev');
	await scim.delete(`/Users/${ada.id}`);
	assert.equal(await entry(ada, 'dev'), undefined);
});

test('assignment: pages only if asked for', async () => {
	for (let n = 0; n < 4; n++)
		await put(await user(), { permissions: ['USER'] }, 'dev');
	const list = sim.assignments('dev');
	const whole = (await list.read('')).permission_assignments;
	assert.equal(whole.length, 5);
	const pages = [];
	let token = '';
	do {
		const page = await list.read(`?max_results=2${token ? `&page_token=${encodeURIComponent(token)}` : ''}`);
		pages.push(page.permission_assignments);
		token = page.next_page_token;
	} while (token);
	assert.deepEqual(pages.map((page) => page.length), [2, 2, 1]);
	assert.deepEqual(pages.flat(), whole);
	assert.equal((await list.get('?max_results=2&page_token=x')).status, 400);
});

test('assignment: the workspace\'s form', async () => {
	const { host, token } = sim.first.workspaces.prod;
	const local = new Client(`${host}/api/2.0/preview/permissionassignments`, token);
	const [ada, eng] = [await user(), await group()];
	const answer = await local.post('', { permission_assignments: [
		{ user_name: ada.userName.toUpperCase(), permissions: ['USER'] },
		{ group_name: 'no-such-group', permissions: ['USER'] },
		{ group_name: eng.displayName, permissions: ['ADMIN'] },
	] });
	assert.equal(answer.status, 200);
	const [first, second, third] = answer.json.permission_assignments;
	assert.deepEqual(first, { permissions: ['USER'], principal: { principal_id: Number(ada.id), display_name: 'Ada Sample', user_name: ada.userName } });
	assert.deepEqual(second, { error: 'RESOURCE_DOES_NOT_EXIST: Principal not found in account.' });
	assert.deepEqual(third, { error: 'Invalid permission: ADMIN is invalid or not supported for this workspace.' });
	assert.equal((await local.put(`/principals/${ada.id}`, { permissions: ['ADMIN'] })).status, 200);
	assert.deepEqual(await level(ada), ['ADMIN']);
	assert.equal((await local.delete(`/principals/${ada.id}`)).status, 200);
	assert.equal(await level(ada), undefined);
	assert.equal((await local.post('', {})).status, 400);
});

test('assignment: not without a metastore', async () => {
	const bare = await Sim.start('--workspace', 'prod', '--quirk', 'federation=off');
	const list = bare.assignments('prod');
	for (const answer of [await list.get(''), await list.put('/principals/1', { permissions: ['USER'] })])
		apiError(answer, 400, 'INVALID_REQUEST', 'Permission assignment APIs are not available for this workspace.');
	await bare.stop();
});

test('ids that a double cannot hold', async () => {
	const wide = await Sim.start('--workspace', 'prod', '--quirk', 'wide-ids=on');
	const made = await wide.scim.make('/Users', { userName: 'ada@example.com' });
	assert.ok(BigInt(made.id) > 2n ** 53n, made.id);
	assert.ok(BigInt(wide.workspaceIdText('prod')) > 2n ** 53n);
	const answer = await wide.assignments('prod').put(`/principals/${made.id}`, { permissions: ['USER'] });
	assert.ok(answer.text.includes(`"principal_id":${made.id},`), answer.text);
	await wide.stop();
});

test('Azure: given application ids are kept', async () => {
	const azure = await Sim.start('--workspace', 'prod', '--cloud', 'azure');
	const id = '11111111-2222-4333-8444-555555555555';
	const made = await azure.scim.make('/ServicePrincipals', { applicationId: id.toUpperCase() });
	assert.equal(made.applicationId, id);
	const taken = await azure.scim.post('/ServicePrincipals', { applicationId: id });
	assert.deepEqual([taken.status, taken.json.detail], [409, `User with email ${id} already exists in this account`]);
	const workspace = azure.workspaceScim('prod');
	assert.equal((await workspace.make('/ServicePrincipals', { applicationId: id })).id, made.id);
	const again = await workspace.post('/ServicePrincipals', { applicationId: id });
	assert.deepEqual([again.status, again.json.detail], [409, `Service principal with application ID ${id} already exists.`]);
	assert.equal((await azure.scim.post('/ServicePrincipals', {})).status, 400);
	await azure.stop();
});

test('our own place can be lost', async () => {
	const other = await Sim.start('--workspace', 'prod');
	const workspace = other.workspaceScim('prod');
	const { id } = await workspace.read('/Me');
	await other.assignments('prod').put(`/principals/${id}`, { permissions: ['USER'] });
	const named = await workspace.read('/Groups?filter=displayName%20eq%20users');
	assert.deepEqual(Object.keys(named.Resources[0]), ['schemas', 'id', 'displayName']);
	for (const [method, path] of [['GET', '/ServicePrincipals'], ['GET', '/Groups?attributes=externalId'], ['POST', '/Users']]) {
		const refused = await workspace.call(method, path, method === 'POST' ? { userName: 'ada@example.com' } : undefined);
		assert.deepEqual([refused.status, refused.json.detail],
			[403, `/2.0/preview/scim/v2${path.split('?')[0]} is only accessible by admins`]);
	}
	assert.equal((await workspace.get('/Me')).status, 200);
	await other.assignments('prod').put(`/principals/${id}`, { permissions: [] });
	assert.equal((await workspace.get('/Me')).status, 403);
	await other.scim.patch(`/ServicePrincipals/${id}`, { op: 'replace', path: 'active', value: false });
	assert.equal((await other.scim.get('/Users')).status, 401);
	assert.equal((await other.signIn(other.accountHost, `/oidc/accounts/${other.accountId}`)).status, 401);
	await other.stop();
});
