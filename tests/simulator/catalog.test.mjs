// Unity Catalog: what there is, and who owns it.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Client, Sim } from './harness.mjs';

let sim, prod, dev, self, serial = 0;
before(async () => {
	sim = await Sim.start('--workspace', 'prod', '--workspace', 'dev');
	[prod, dev] = [sim.workspace('prod'), sim.workspace('dev')];
	self = sim.first.client_id;
});
after(() => sim.stop());

const UC = '/api/2.1/unity-catalog';
const fresh = (word) => `${word}_${++serial}`;
const good = (answer) => {
	assert.equal(answer.status, 200, answer.text);
	return answer.json;
};
const refused = (answer, status, code, message) => {
	assert.equal(answer.status, status, answer.text);
	assert.equal(answer.json.error_code, code, answer.text);
	assert.equal(answer.json.message, message);
};
const group = (members = []) => sim.scim.make('/Groups', { displayName: fresh('team'), members: members.map(({ id }) => ({ value: id })) });
const give = (path, owner, client = prod) => client.call('PATCH', `${UC}/${path}`, { owner });
// A service principal in prod, and a client of its own.
async function robot() {
	const who = await sim.scim.make('/ServicePrincipals', { displayName: fresh('etl') });
	good(await sim.assignments('prod').put(`/principals/${who.id}`, { permissions: ['USER'] }));
	const { token_value: text } = good(await prod.post('/api/2.0/token-management/on-behalf-of/tokens', { application_id: who.applicationId }));
	return { ...who, client: new Client(prod.base, text) };
}
async function schema() {
	const [catalog_name, name] = [fresh('cat'), 'sales'];
	good(await prod.post(`${UC}/catalogs`, { name: catalog_name }));
	good(await prod.post(`${UC}/schemas`, { catalog_name, name }));
	return { catalog_name, schema_name: name, full: `${catalog_name}.${name}` };
}

test('every type: made, listed by what it is in, got, handed over, deleted', async () => {
	const { catalog_name, schema_name, full } = await schema(), team = await group();
	for (const [type, key, inside] of [
		['catalogs', 'catalogs', {}], ['schemas', 'schemas', { catalog_name }],
		...['tables', 'volumes', 'functions', 'models'].map((type) => [type, type === 'models' ? 'registered_models' : type, { catalog_name, schema_name }]),
		...['external-locations', 'storage-credentials', 'credentials', 'connections', 'shares', 'recipients', 'providers'].map((type) => [type, type.replace('-', '_'), {}]),
	]) {
		const name = fresh('x');
		const made = good(await prod.post(`${UC}/${type}`, { name, ...inside }));
		const path = `${type}/${[...Object.values(inside), name].join('.')}`;
		assert.deepEqual([`${type}/${made.full_name}`, made.name, made.owner], [path, name, self]);
		assert.deepEqual(await prod.read(`${UC}/${path}`), made);
		assert.deepEqual(await dev.read(`${UC}/${path}`), made, 'one metastore for all');
		const list = (await prod.read(`${UC}/${type}?${new URLSearchParams(inside)}`))[key];
		assert.ok(list.some((one) => one.full_name === made.full_name), type);
		assert.ok(Object.keys(inside).length === 0 || list.every((one) => one.catalog_name === catalog_name), type);
		refused(await prod.post(`${UC}/${type}`, { name, ...inside }), 400, 'RESOURCE_ALREADY_EXISTS', `${(await prod.get(`${UC}/${type}/none`)).json.message.split(" '")[0]} '${made.full_name}' already exists`);
		assert.equal(good(await give(path, team.displayName)).owner, team.displayName);
		assert.equal(good(await prod.delete(`${UC}/${path}`)) && (await prod.get(`${UC}/${path}`)).status, 404);
	}
	refused(await prod.get(`${UC}/tables?catalog_name=${catalog_name}`), 400, 'INVALID_PARAMETER_VALUE', 'Missing required field: schema_name');
	refused(await prod.get(`${UC}/schemas`), 400, 'INVALID_PARAMETER_VALUE', 'Missing required field: catalog_name');
	refused(await prod.post(`${UC}/tables`, { catalog_name, schema_name: 'none', name: 'x' }), 404, 'RESOURCE_DOES_NOT_EXIST', `Schema '${catalog_name}.none' does not exist.`);
	refused(await prod.get(`${UC}/schemas/${full}x`), 404, 'RESOURCE_DOES_NOT_EXIST', `Schema '${full}x' does not exist.`);
});

test('owners are the account\'s principals, by name', async () => {
	const { full } = await schema(), path = `schemas/${full}`;
	const ada = await sim.scim.make('/Users', { userName: `${fresh('ada')}@example.com` }), team = await group(), etl = await robot();
	for (const name of [ada.userName, team.displayName, etl.applicationId, 'account users'])
		assert.equal(good(await give(path, name)).owner, name);
	const local = await sim.workspaceScim('prod').make('/Groups', { displayName: fresh('local') });
	for (const name of ['admins', 'users', local.displayName, team.id, etl.displayName, 'nobody@example.com', ''])
		refused(await give(path, name), 404, 'PRINCIPAL_DOES_NOT_EXIST', `Could not find principal with name ${name}`);
	assert.equal((await prod.read(`${UC}/${path}`)).owner, 'account users');
	good(await give(path, ada.userName));
	await sim.scim.delete(`/Users/${ada.id}`);
	assert.equal((await prod.read(`${UC}/${path}`)).owner, ada.userName, 'the name of who is gone stays');
	good(await give(path, self));
});

test('who may hand over: owners, who owns what it is in, the metastore\'s admin', async () => {
	const { catalog_name, schema_name, full } = await schema(), etl = await robot(), team = await group([etl]);
	good(await prod.post(`${UC}/tables`, { catalog_name, schema_name, name: 't' }));
	const table = `tables/${full}.t`, not = (type, name) => [403, 'PERMISSION_DENIED', `User is not an owner of ${type} '${name}'.`];
	const tell = (client, path, body) => client.call('PATCH', `${UC}/${path}`, body);
	refused(await give(table, etl.applicationId, etl.client), ...not('Table', `${full}.t`));
	good(await give(`schemas/${full}`, team.displayName));
	assert.equal(good(await give(table, etl.applicationId, etl.client)).owner, etl.applicationId, 'owns the schema, through a group');
	assert.equal(good(await tell(etl.client, table, { comment: 'mine' })).comment, 'mine');
	// Who may only because of what is above, or as the metastore's admin, may change the owner alone.
	refused(await tell(prod, table, { comment: 'x' }), ...not('Table', `${full}.t`));
	refused(await tell(prod, table, { owner: self, comment: 'x' }), ...not('Table', `${full}.t`));
	good(await give(table, self));
	const other = await schema();
	refused(await give(`schemas/${other.full}`, etl.applicationId, etl.client), ...not('Schema', other.full));
	good(await give(`catalogs/${other.catalog_name}`, team.displayName));
	good(await give(`schemas/${other.full}`, etl.applicationId, etl.client));
	// A function goes only to a group that one is in.
	good(await etl.client.post(`${UC}/functions`, { catalog_name, schema_name, name: 'f' }));
	const strangers = await group();
	refused(await give(`functions/${full}.f`, strangers.displayName, etl.client), 403, 'PERMISSION_DENIED', `User is not a member of group ${strangers.displayName}`);
	good(await give(`functions/${full}.f`, team.displayName, etl.client));
});

test('the metastore has an owner, too, and a workspace may be without it', async () => {
	const etl = await robot(), team = await group([etl]);
	const { metastore_id: id, owner } = await prod.read(`${UC}/metastore_summary`);
	assert.equal(owner, 'System user');
	assert.equal((await prod.read(`${UC}/metastores`)).metastores.length, 1);
	refused(await give(`metastores/${id}`, etl.applicationId, etl.client), 403, 'PERMISSION_DENIED', "User is not a metastore admin for Metastore 'sample'.");
	assert.equal(good(await give(`metastores/${id}`, team.displayName)).owner, team.displayName);
	refused(await give(`metastores/${id}`, self), 403, 'PERMISSION_DENIED', "User is not a metastore admin for Metastore 'sample'.");
	assert.equal(good(await give(`metastores/${id}`, '', etl.client)).owner, 'System user');
	const bare = await Sim.start('--workspace', 'prod', '--quirk', 'federation=off');
	for (const path of ['metastore_summary', 'catalogs', 'schemas/a.b'])
		refused(await bare.workspace('prod').get(`${UC}/${path}`), 404, 'METASTORE_DOES_NOT_EXIST', 'No metastore assigned for the current workspace.');
	await bare.stop();
});

test('kept in a state file', async () => {
	const own = await Sim.start('--workspace', 'prod');
	await own.stop({ keep: true });
	const args = ['--workspace', 'prod', '--state', join(own.folder, 'state')];
	await own.run(args);
	good(await own.workspace('prod').post(`${UC}/catalogs`, { name: 'main' }));
	good(await own.workspace('prod').post(`${UC}/schemas`, { catalog_name: 'main', name: 'sales' }));
	const read = () => Promise.all(['catalogs', 'schemas?catalog_name=main'].map((path) => own.workspace('prod').read(`${UC}/${path}`)));
	const was = await read();
	await own.stop({ keep: true });
	await own.run(args);
	assert.deepEqual(await read(), was);
	await own.stop();
});
