// The server's side of the SCIM cases: users, groups and service principals at account and workspace level.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, ERROR, GROUP, Sim, ids, values } from './harness.mjs';

let sim, scim, prod, dev, serial = 0;
before(async () => {
	sim = await Sim.start('--workspace', 'prod', '--workspace', 'dev');
	scim = sim.scim;
	prod = sim.workspaceScim('prod');
	dev = sim.workspaceScim('dev');
});
after(() => sim.stop());

const fresh = (word) => `${word}-${++serial}`;
const mail = () => `${fresh('sample')}@example.com`;
const user = (more = {}) => scim.make('/Users', { userName: mail(), ...more });
const group = (more = {}) => scim.make('/Groups', { displayName: fresh('group'), ...more });
const memberIds = async (id) => ids((await scim.read(`/Groups/${id}`)).members);
const filter = (text) => `filter=${encodeURIComponent(text)}`;
const assign = (who, name = 'prod', level = 'USER') =>
	sim.assignments(name).put(`/principals/${who.id}`, { permissions: [level] });
const scimError = (answer, status, detail, scimType) => {
	assert.equal(answer.status, status, answer.text);
	assert.deepEqual(answer.json, {
		schemas: [ERROR], detail, status: String(status), ...(scimType ? { scimType } : {}) });
};
const UNPARSABLE = 'Request is unparsable, syntactically incorrect, or violates schema.';

test('a new user: lower-case name, filled mail, text id, nothing empty', async () => {
	const name = mail();
	const made = await scim.make('/Users', { userName: name.toUpperCase(), displayName: 'Ada Sample', groups: [], id: '7' });
	assert.match(made.id, /^[1-9][0-9]+$/);
	assert.deepEqual(made, {
		schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], id: made.id, userName: name, displayName: 'Ada Sample',
		emails: [{ type: 'work', value: name, primary: true }], active: true,
	});
	assert.deepEqual(await scim.read(`/Users/${made.id}`), made);
});

test('a userName that is taken, in any case, also by one who is deactivated', async () => {
	const made = await user();
	const detail = `User with email ${made.userName} already exists in this account. Note: emails are case insensitive ` +
		'(i.e abc@domain.com and ABC@DOMAIN.COM are considered equivalent)';
	scimError(await scim.post('/Users', { userName: made.userName.toUpperCase() }), 409, detail);
	await scim.patch(`/Users/${made.id}`, { op: 'replace', path: 'active', value: false });
	scimError(await scim.post('/Users', { userName: made.userName }), 409, detail);
	const found = await scim.read(`/Users?${filter(`userName eq "${made.userName}"`)}`);
	assert.deepEqual([found.totalResults, found.Resources[0].id, found.Resources[0].active], [1, made.id, false]);
	const back = await scim.patch(`/Users/${made.id}`, { op: 'replace', path: 'active', value: true });
	assert.deepEqual([back.json.id, back.json.active], [made.id, true]);
});

test('a body that is none', async () => {
	for (const body of ['', '[]', '{', '{"userName":7}', '{"userName":"a@example.com","active":"perhaps"}', '"x"'])
		scimError(await scim.post('/Users', body), 400, UNPARSABLE, 'invalidSyntax');
	scimError(await scim.post('/Users', {}), 400, UNPARSABLE, 'Required attribute userName is missing in the SCIM Object.');
	scimError(await scim.post('/Groups', {}), 400, UNPARSABLE, 'Required attribute displayName is missing in the SCIM Object.');
});

test('both content types are taken', async () => {
	for (const type of ['application/json', 'application/scim+json; charset=utf-8']) {
		const answer = await scim.post('/Users', { userName: mail() }, { 'content-type': type });
		assert.equal(answer.status, 201);
	}
});

test('userName and emails never change', async () => {
	const made = await user({ displayName: 'Ada Sample' });
	const patched = await scim.patch(`/Users/${made.id}`, { op: 'replace', path: 'userName', value: mail() },
		{ op: 'replace', path: 'emails', value: [{ value: mail() }] }, { op: 'replace', value: { userName: mail() } });
	assert.equal(patched.status, 200);
	assert.deepEqual(patched.json, made);
	const put = await scim.put(`/Users/${made.id}`, { userName: mail(), displayName: 'Ada Sample', active: true });
	assert.deepEqual(put.json, made);
});

test('every form of active, and that reads show a truth value', async () => {
	const made = await user();
	for (const value of ['false', [{ value: 'false' }], false, 'False']) {
		await scim.patch(`/Users/${made.id}`, { op: 'replace', path: 'active', value: true });
		const answer = await scim.patch(`/Users/${made.id}`, { op: 'Replace', path: 'active', value });
		assert.equal(answer.status, 200, answer.text);
		assert.equal((await scim.read(`/Users/${made.id}`)).active, false);
	}
	const whole = await scim.patch(`/Users/${made.id}`, { op: 'replace', value: { active: true } });
	assert.equal(whole.json.active, true);
	scimError(await scim.patch(`/Users/${made.id}`, { op: 'replace', path: 'active', value: 'no' }), 400, UNPARSABLE,
		'invalidSyntax');
});

test('names, set and unset', async () => {
	const made = await user({ displayName: 'A', name: { givenName: 'Ada', familyName: 'Sample' }, externalId: 'x1' });
	const changed = await scim.patch(`/Users/${made.id}`, { op: 'replace', path: 'name.familyName', value: 'Specimen' },
		{ op: 'remove', path: 'externalId' }, { op: 'replace', path: 'displayName', value: 'Ada Specimen' });
	assert.deepEqual(changed.json.name, { givenName: 'Ada', familyName: 'Specimen' });
	assert.equal(changed.json.displayName, 'Ada Specimen');
	assert.ok(!('externalId' in changed.json));
	scimError(await scim.patch(`/Users/${made.id}`, { op: 'remove', path: 'externalId' }), 400,
		'No such attribute with the name : externalId in the current resource', 'invalidPath');
	const emptied = await scim.put(`/Users/${made.id}`, { userName: made.userName, active: true });
	assert.ok(!('name' in emptied.json) && !('displayName' in emptied.json));
});

test('the smallest legal PUT clears roles and names', async () => {
	const made = await user({ roles: [{ value: 'account_admin' }], externalId: 'x2' });
	assert.deepEqual(values(made.roles), ['account_admin']);
	const put = await scim.put(`/Users/${made.id}`, { userName: made.userName, active: true });
	assert.equal(put.status, 200);
	assert.ok(!('roles' in put.json) && !('externalId' in put.json));
});

test('group names: unique whatever the case, kept as given', async () => {
	const made = await group();
	scimError(await scim.post('/Groups', { displayName: made.displayName.toUpperCase() }), 409,
		`Group with name ${made.displayName.toUpperCase()} already exists.`);
	for (const name of ['users', 'admins'])
		scimError(await scim.post('/Groups', { displayName: name }), 409, `Group with name ${name} already exists.`);
	const other = await group();
	scimError(await scim.patch(`/Groups/${other.id}`, { op: 'replace', path: 'displayName', value: made.displayName }), 409,
		`Group with name ${made.displayName} already exists.`);
	const upper = await scim.patch(`/Groups/${made.id}`,
		{ op: 'replace', path: 'displayName', value: made.displayName.toUpperCase() });
	assert.equal(upper.json.displayName, made.displayName.toUpperCase());
});

test('a new group shows no members key; PATCH answers with the whole group', async () => {
	const made = await group();
	assert.deepEqual(made, { schemas: [GROUP], id: made.id, displayName: made.displayName });
	const ada = await user({ displayName: 'Ada Sample' });
	const answer = await scim.patch(`/Groups/${made.id}`, { op: 'add', path: 'members', value: [{ value: ada.id }] });
	assert.deepEqual(answer.json.members, [{ value: ada.id, display: 'Ada Sample', $ref: `Users/${ada.id}` }]);
});

test('members: every form that clients send', async () => {
	const [a, b, c] = [await user(), await user(), await user()];
	const forms = [
		['add by path', [{ op: 'add', path: 'members', value: [{ value: a.id }] }], [a]],
		['add without path', [{ op: 'add', value: { members: [{ value: a.id }, { value: b.id }] } }], [a, b]],
		['Entra words', [{ op: 'Add', path: 'members', value: [{ value: a.id }] }], [a]],
		['display and $ref', [{ op: 'add', path: 'members', value: [{ value: a.id, display: 'x', $ref: 'Users/1' }] }], [a]],
		['attribute name in another case', [{ op: 'add', path: 'Members', value: [{ value: a.id }] }], [a]],
		['with its URN', [{ op: 'add', path: `${GROUP}:members`, value: [{ value: a.id }] }], [a]],
		['replace', [{ op: 'replace', path: 'members', value: [{ value: b.id }] }], [b], [a]],
		['replace without path', [{ op: 'replace', value: { members: [{ value: b.id }] } }], [b], [a]],
		['remove by filter', [{ op: 'remove', path: `members[value eq "${a.id}"]` }], [b], [a, b]],
		['remove all', [{ op: 'remove', path: 'members' }], [], [a, b]],
		['several at once', [{ op: 'remove', path: `members[value eq "${a.id}"]` },
			{ op: 'add', path: 'members', value: [{ value: c.id }] }], [b, c], [a, b]],
		['twice the same', [{ op: 'add', path: 'members', value: [{ value: a.id }, { value: a.id }] }], [a], [a]],
		['remove of no member', [{ op: 'remove', path: `members[value eq "${c.id}"]` }], [a], [a]],
		['add of a stranger', [{ op: 'add', path: 'members', value: [{ value: '1' }, { value: a.id },
			{ value: '11111111-2222-4333-8444-555555555555' }] }], [a]],
		['schemas left out', null, [a]],
	];
	for (const [name, operations, want, have = []] of forms) {
		const made = await group({ members: have.map((who) => ({ value: who.id })) });
		const answer = operations
			? await scim.patch(`/Groups/${made.id}`, ...operations)
			: await scim.call('PATCH', `/Groups/${made.id}`,
				{ Operations: [{ op: 'add', path: 'members', value: [{ value: a.id }] }] });
		assert.equal(answer.status, 200, `${name}: ${answer.text}`);
		assert.deepEqual(await memberIds(made.id), want.map((who) => who.id).sort(), name);
	}
});

test('PATCH bodies that are refused change nothing', async () => {
	const [ada, other] = [await user(), await user()];
	const made = await group({ members: [{ value: ada.id }] });
	const bodies = [
		[400, 'invalidSyntax', { Operations: [{ op: 'remove', path: `members[value eq "${ada.id}"]`, value: '' }] }],
		[400, 'invalidSyntax', { Operations: [{ op: 'add', path: 'members', value: '123' }] }],
		[400, 'invalidSyntax', { Operations: [{ op: 'add', path: 'members', value: { value: ada.id } }] }],
		[400, 'invalidSyntax', { Operations: [{ op: 'add', path: 'members', value: [ada.id] }] }],
		[400, 'invalidSyntax', { operations: [{ op: 'remove', path: 'members' }] }],
		[400, 'invalidSyntax', { Operations: [] }],
		[400, 'invalidSyntax', { Operations: [{ op: 'move', path: 'members' }] }],
		[400, 'invalidSyntax', { Operations: [{ op: 'replace', path: 'displayName' }] }],
		[400, 'invalidSyntax', { Operations: [{ op: 'replace', path: 'displayName', value: ['x'] }] }],
		[400, 'noTarget', { Operations: [{ op: 'remove' }] }],
		[400, 'invalidPath', { Operations: [{ op: 'replace', path: 'colour', value: 'red' }] }],
		[400, 'invalidPath', { Operations: [{ op: 'replace', path: 'active', value: false }] }],
		[400, 'invalidFilter', { Operations: [{ op: 'remove', path: 'members[display eq "x"]' }] }],
		[400, 'invalidValue', { Operations: [{ op: 'replace', path: 'displayName', value: 'x'.repeat(257) }] }],
		[500, undefined, { schemas: [GROUP], Operations: [{ op: 'remove', path: 'members' }] }],
		// The first is good, the second not: neither happens.
		[400, 'invalidPath', { Operations: [{ op: 'remove', path: `members[value eq "${ada.id}"]` },
			{ op: 'replace', path: 'colour', value: 'red' }] }],
		[409, undefined, { Operations: [{ op: 'add', path: 'members', value: [{ value: other.id }] },
			{ op: 'replace', path: 'displayName', value: 'account users' }] }],
		[409, undefined, { Operations: [{ op: 'remove', path: 'members' }, { op: 'replace', path: 'externalId', value: 'e' },
			{ op: 'replace', path: 'displayName', value: 'account users' }] }],
	];
	for (const [status, scimType, body] of bodies) {
		const answer = await scim.call('PATCH', `/Groups/${made.id}`, body);
		assert.equal(answer.status, status, JSON.stringify(body) + answer.text);
		assert.equal(answer.json.scimType, scimType, JSON.stringify(body));
		assert.deepEqual(await scim.read(`/Groups/${made.id}`), made);
	}
});

test('a refused PATCH of a user, and in a workspace, changes nothing', async () => {
	const made = await user({ name: { givenName: 'Ada' }, roles: [{ value: 'account_admin' }] });
	await assign(made);
	await prod.patch(`/Users/${made.id}`, { op: 'add', path: 'entitlements', value: [{ value: 'workspace-access' }] },
		{ op: 'add', path: 'roles', value: [{ value: 'arn:x' }] });
	const [account, workspace] = [await scim.read(`/Users/${made.id}`), await prod.read(`/Users/${made.id}`)];
	const bad = { op: 'replace', path: 'displayName', value: 7 };
	assert.equal((await scim.patch(`/Users/${made.id}`, { op: 'replace', path: 'active', value: false },
		{ op: 'remove', path: 'name' }, { op: 'remove', path: 'roles' }, bad)).status, 400);
	assert.equal((await prod.patch(`/Users/${made.id}`, { op: 'replace', path: 'active', value: false },
		{ op: 'remove', path: 'entitlements' }, { op: 'remove', path: 'roles' }, bad)).status, 400);
	assert.deepEqual(await scim.read(`/Users/${made.id}`), account);
	assert.deepEqual(await prod.read(`/Users/${made.id}`), workspace);
});

test('PUT of a group is total', async () => {
	const ada = await user();
	const made = await group({ members: [{ value: ada.id }], externalId: 'e1' });
	const same = await scim.put(`/Groups/${made.id}`, { ...made, roles: [{ value: 'account_admin' }], externalId: 'e2' });
	assert.deepEqual([ids(same.json.members), same.json.externalId, values(same.json.roles)],
		[[ada.id], 'e2', ['account_admin']]);
	const empty = await scim.put(`/Groups/${made.id}`, { displayName: made.displayName });
	assert.deepEqual(empty.json, { schemas: [GROUP], id: made.id, displayName: made.displayName });
	scimError(await scim.put('/Groups/1234', { displayName: fresh('x') }), 404, 'Group with id 1234 is not found');
});

test('nested groups: no loops, ten layers', async () => {
	const [a, b] = [await group(), await group()];
	const add = (outer, inner) => scim.patch(`/Groups/${outer.id}`, { op: 'add', path: 'members', value: [{ value: inner.id }] });
	assert.equal((await add(a, b)).status, 200);
	assert.deepEqual((await scim.read(`/Groups/${a.id}`)).members[0].$ref, `Groups/${b.id}`);
	assert.equal((await add(b, a)).status, 400);
	assert.equal((await add(a, a)).status, 400);
	assert.deepEqual(await memberIds(b.id), []);
	let outer = a;
	for (let layer = 2; layer < 10; layer++) {
		const next = await group();
		assert.equal((await add(next, outer)).status, 200, `layer ${layer}`);
		outer = next;
	}
	assert.equal((await add(await group(), outer)).status, 400);
});

test('swapping who contains whom, removal first', async () => {
	const b = await group();
	const a = await group({ members: [{ value: b.id }] });
	await scim.patch(`/Groups/${a.id}`, { op: 'remove', path: `members[value eq "${b.id}"]` });
	const answer = await scim.patch(`/Groups/${b.id}`, { op: 'add', path: 'members', value: [{ value: a.id }] });
	assert.deepEqual([answer.status, ids(answer.json.members)], [200, [a.id]]);
});

test('many memberships, changed at random, are what a model says', async () => {
	let seed = 7;
	const draw = (below) => (seed = (seed * 1103515245 + 12345) % 2147483648) % below;
	const people = [], groups = [];
	for (let n = 0; n < 12; n++)
		people.push((await user()).id);
	for (let n = 0; n < 6; n++)
		groups.push({ id: (await group()).id, want: new Set() });
	for (let n = 0; n < 300; n++) {
		const one = groups[draw(groups.length)], who = people[draw(people.length)];
		const had = one.want.has(who);
		const answer = await scim.patch(`/Groups/${one.id}`, had
			? { op: 'remove', path: `members[value eq "${who}"]` }
			: { op: 'add', path: 'members', value: [{ value: who }] });
		had ? one.want.delete(who) : one.want.add(who);
		assert.deepEqual(ids(answer.json.members), [...one.want].sort());
	}
	const gone = people.pop();
	await scim.delete(`/Users/${gone}`);
	for (const { id, want } of groups) {
		want.delete(gone);
		assert.deepEqual(await memberIds(id), [...want].sort());
	}
});

test('deletes: no body, gone from groups, second time 404', async () => {
	const ada = await user();
	const made = await group({ members: [{ value: ada.id }] });
	const gone = await scim.delete(`/Users/${ada.id}`);
	assert.deepEqual([gone.status, gone.text], [204, '']);
	assert.deepEqual(await memberIds(made.id), []);
	scimError(await scim.delete(`/Users/${ada.id}`), 404, `User with id ${ada.id} is not found`);
	assert.equal((await scim.delete(`/Groups/${made.id}`)).status, 204);
	scimError(await scim.delete(`/Groups/${made.id}`), 404, `Group with id ${made.id} is not found`);
	scimError(await scim.get('/ServicePrincipals/1234'), 404, 'Service principal with id 1234 not found');
	const again = await scim.make('/Users', { userName: ada.userName });
	assert.notEqual(again.id, ada.id);
});

test('paths that are none', async () => {
	scimError(await scim.get('/Groups/some-name'), 404, 'Endpoint not supported.');
	for (const path of ['/users', '/Things', '/Me', '/Users/1/2']) {
		const answer = await scim.get(path);
		assert.equal(answer.status, 404);
		assert.equal(answer.json.error_code, 'ENDPOINT_NOT_FOUND');
		assert.ok(answer.json.message.startsWith("No API found for 'GET /api/2.0/accounts/"));
	}
	const ada = await user();
	scimError(await scim.get(`/Groups/${ada.id}`), 404, `Group with id ${ada.id} is not found`);
});

test('service principals: generated application id, one key, many of a name', async () => {
	const name = fresh('etl');
	const [a, b] = [await scim.make('/ServicePrincipals', { displayName: name }),
		await scim.make('/ServicePrincipals', { displayName: name, active: false })];
	assert.match(a.applicationId, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/);
	assert.notEqual(a.id, a.applicationId);
	assert.equal((await scim.read(`/ServicePrincipals?${filter(`displayName eq "${name}"`)}`)).totalResults, 2);
	const one = await scim.read(`/ServicePrincipals?${filter(`applicationId eq '${b.applicationId}'`)}` +
		'&attributes=userName,displayName,active,externalId,entitlements');
	assert.deepEqual(one.Resources, [{ schemas: b.schemas, id: b.id, applicationId: b.applicationId, displayName: name, active: false }]);
	scimError(await scim.post('/ServicePrincipals', { displayName: name, applicationId: a.applicationId }), 400, UNPARSABLE,
		'Attribute applicationID cannot be specified for the SCIM Object');
	scimError(await scim.post('/ServicePrincipals', {}), 400, UNPARSABLE,
		'Required attribute displayName is missing in the SCIM Object.');
	const other = await scim.patch(`/ServicePrincipals/${a.id}`, { op: 'replace', path: 'applicationId', value: 'x' },
		{ op: 'replace', path: 'active', value: [{ value: 'false' }] });
	assert.deepEqual([other.json.applicationId, other.json.active], [a.applicationId, false]);
});

test('account roles, and one\'s own that stays', async () => {
	const ada = await user();
	const path = `/Users/${ada.id}`;
	await scim.patch(path, { op: 'add', path: 'roles', value: [{ value: 'account_admin' }] });
	assert.deepEqual(values((await scim.read(`${path}?attributes=roles`)).roles), ['account_admin']);
	await scim.patch(path, { op: 'remove', path: 'roles[value eq "account_admin"]' });
	assert.deepEqual((await scim.read(`${path}?attributes=roles`)), { schemas: ada.schemas, id: ada.id });
	await scim.patch(path, { op: 'add', value: { roles: [{ value: 'account_admin' }] } });
	assert.deepEqual(values((await scim.read(path)).roles), ['account_admin']);
	const self = (await scim.read(`/ServicePrincipals?${filter(`applicationId eq "${sim.first.client_id}"`)}`)).Resources[0];
	const detail = `PERMISSION_DENIED: Cannot remove roles for ${self.id}`;
	const own = `/ServicePrincipals/${self.id}`;
	scimError(await scim.patch(own, { op: 'remove', path: 'roles[value eq "account_admin"]' }), 400, detail, 'invalidValue');
	scimError(await scim.put(own, { displayName: 'x', active: true }), 400, detail, 'invalidValue');
	assert.deepEqual(await scim.read(own), self);
});

test('entitlements belong to workspaces', async () => {
	const made = await group();
	for (const op of ['add', 'replace'])
		scimError(await scim.patch(`/Groups/${made.id}`, { op, path: 'entitlements', value: [{ value: 'workspace-access' }] }),
			400, 'entitlements can only be managed at the workspace level', 'invalidValue');
	const none = await scim.make('/Users', { userName: mail(), entitlements: [{}] });
	assert.ok(!('entitlements' in none));
});

test('filters', async () => {
	const tag = fresh('f');
	const a = await group({ displayName: `${tag} "quoted" it's`, externalId: `${tag}-A` });
	const b = await group({ displayName: `${tag}-beta`, externalId: `${tag}-a` });
	const cases = [
		[`displayName eq "${tag}-BETA"`, [b]],
		[`DISPLAYNAME EQ '${tag}-beta'`, [b]],
		[`displayName eq ${tag}-beta`, [b]],
		[`displayName eq "${tag} \\"quoted\\" it's"`, [a]],
		[`displayName eq '${tag} "quoted" it\\'s'`, [a]],
		[`displayName sw "${tag}"`, [a, b]],
		[`displayName co "QUOTED"`, [a]],
		[`displayName sw "${tag}" and displayName ne "${tag}-beta"`, [a]],
		[`displayName eq "none" or displayName eq "${tag}-beta"`, [b]],
		[`displayName eq "${tag}-beta" or displayName eq "${tag}-beta"`, [b]],
		[`displayName eq "${tag}-beta" or externalId eq "${tag}-A"`, [a, b]],
		[`externalId eq "${tag}-a"`, [b]],
		[`externalId eq "${tag}-A"`, [a]],
		[`id eq "${a.id}"`, [a]],
		['id eq "1"', []],
		['displayName eq none', []],
	];
	for (const [text, want] of cases) {
		const list = await scim.read(`/Groups?${filter(text)}`);
		assert.deepEqual(list.Resources?.map((one) => one.id) ?? [], want.map((one) => one.id), text);
		assert.equal(list.totalResults, want.length, text);
	}
	for (const [text, detail] of [
		['word', 'Given filter operator is not supported'],
		['displayName gt "a"', 'Given filter operator is not supported'],
		['displayName pr', 'Given filter operator is not supported'],
		['colour eq "red"', 'Unknown attribute in filter'],
		['displayName eq', 'Invalid filter'],
		['displayName eq "a', 'Invalid filter'],
		['(displayName eq "a")', 'Invalid filter'],
		['displayName eq "a" xor displayName eq "b"', 'Invalid filter'],
		['displayName eq "a" and', 'Invalid filter'],
	])
		scimError(await scim.get(`/Groups?${filter(text)}`), 400, detail, 'invalidFilter');
});

test('filters of people', async () => {
	const tag = fresh('p');
	const a = await user({ userName: `${tag}.a@example.com`, name: { givenName: tag, familyName: 'One' }, active: false });
	const b = await user({ userName: `${tag}.b@example.com`, displayName: tag });
	for (const [text, want] of [
		[`userName eq "${tag}.A@Example.com"`, [a]],
		[`emails.value eq "${tag}.b@example.com"`, [b]],
		[`userName sw "${tag}." and active eq false`, [a]],
		[`userName sw "${tag}." and active eq true`, [b]],
		[`name.givenName eq "${tag}"`, [a]],
		[`displayName eq "${tag}"`, [b]],
	]) {
		const list = await scim.read(`/Users?${filter(text)}`);
		assert.deepEqual(list.Resources?.map((one) => one.id), want.map((one) => one.id), text);
	}
});

test('the newer version takes 200 nodes of a filter', async () => {
	const newer = new Client(scim.base.replace('/2.0/', '/2.1/'), scim.token);
	const text = (count) => Array.from({ length: count }, (_, n) => `userName eq "${n}"`).join(' or ');
	assert.equal((await newer.get(`/Users?${filter(text(100))}`)).status, 200);
	const refused = await newer.get(`/Users?${filter(text(101))}`);
	assert.deepEqual([refused.status, refused.json.scimType], [400, 'invalidFilter']);
	assert.equal((await scim.get(`/Users?${filter(text(101))}`)).status, 200);
});

test('pages: one total, any start, an empty end', async () => {
	const tag = fresh('page');
	for (let n = 0; n < 5; n++)
		await user({ userName: `${tag}.${n}@example.com` });
	const query = `/Users?${filter(`userName sw "${tag}"`)}&attributes=userName`;
	const names = [];
	for (const [start, want] of [[1, 2], [3, 2], [5, 1]]) {
		const page = await scim.read(`${query}&count=2&startIndex=${start}`);
		assert.deepEqual([page.totalResults, page.startIndex, page.itemsPerPage, page.Resources.length], [5, start, want, want]);
		names.push(...page.Resources.map((one) => one.userName));
	}
	assert.deepEqual(names, [0, 1, 2, 3, 4].map((n) => `${tag}.${n}@example.com`));
	assert.deepEqual(await scim.read(`${query}&count=2&startIndex=6`), {
		schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'], totalResults: 5, startIndex: 6, itemsPerPage: 0 });
	assert.equal((await scim.read(`${query}&count=0`)).totalResults, 5);
	assert.equal((await scim.read(`${query}&startIndex=0&count=1`)).startIndex, 1);
	assert.equal((await scim.get(`${query}&count=many`)).status, 400);
	const sorted = await scim.read(`${query}&sortBy=userName&sortOrder=descending`);
	assert.deepEqual(sorted.Resources.map((one) => one.userName), [...names].reverse());
});

test('attributes: only those, and id; unknown ones do no harm', async () => {
	const made = await user({ displayName: 'A', externalId: 'e', name: { givenName: 'A' } });
	const get = (query) => scim.read(`/Users/${made.id}?${query}`);
	assert.deepEqual(await get('attributes=userName,colour'), { schemas: made.schemas, id: made.id, userName: made.userName });
	assert.deepEqual(Object.keys(await get('attributes=displayName,externalId')).sort(), ['displayName', 'externalId', 'id', 'schemas']);
	assert.deepEqual((await get('attributes=name.givenName')).name, { givenName: 'A' });
	assert.ok(!('emails' in await get('excludedAttributes=emails,roles')));
});

test('account lists of groups have no members, even if asked', async () => {
	const ada = await user();
	const made = await group({ members: [{ value: ada.id }] });
	const list = await scim.read(`/Groups?attributes=id,members&${filter(`displayName eq "${made.displayName}"`)}`);
	assert.deepEqual(list.Resources, [{ schemas: [GROUP], id: made.id }]);
});

test('account users: lists everybody, changes for nobody', async () => {
	const [list] = (await scim.read(`/Groups?${filter('displayName eq "account users"')}`)).Resources;
	const ada = await user();
	const whole = await scim.read(`/Groups/${list.id}`);
	assert.ok(ids(whole.members).includes(ada.id));
	assert.ok(!('meta' in whole));
	for (const answer of [
		await scim.patch(`/Groups/${list.id}`, { op: 'add', path: 'members', value: [{ value: ada.id }] }),
		await scim.patch(`/Groups/${list.id}`, { op: 'replace', path: 'displayName', value: 'x' }),
		await scim.delete(`/Groups/${list.id}`)])
		assert.equal(answer.status, 403, answer.text);
});

test('workspace: what is there at the start', async () => {
	const groups = await prod.read('/Groups?attributes=id,displayName,meta');
	assert.deepEqual(groups.Resources.map((one) => [one.displayName, one.meta.resourceType]),
		[['admins', 'WorkspaceGroup'], ['users', 'WorkspaceGroup']]);
	const me = await prod.get('/Me');
	assert.equal(me.headers.get('x-databricks-org-id'), sim.workspaceIdText('prod'));
	assert.equal(me.json.userName, sim.first.client_id);
	assert.deepEqual(me.json.emails, [{ type: 'work', value: sim.first.client_id, primary: true }]);
	assert.deepEqual(me.json.groups.map((one) => [one.display, one.type]), [['users', 'direct'], ['admins', 'direct']]);
	assert.ok(!('groups' in await prod.read('/Me?excludedAttributes=groups')));
});

test('workspace: an assigned group and its members show, with the same ids', async () => {
	const [ada, made] = [await user(), await group()];
	await scim.patch(`/Groups/${made.id}`, { op: 'add', path: 'members', value: [{ value: ada.id }] });
	assert.equal((await prod.get(`/Groups/${made.id}`)).status, 404);
	assert.equal((await prod.get(`/Users/${ada.id}`)).status, 404);
	assert.equal((await assign(made)).status, 200);
	const seen = await prod.read(`/Groups/${made.id}`);
	assert.deepEqual([seen.id, seen.meta, seen.entitlements], [made.id, { resourceType: 'Group' }, undefined]);
	assert.equal((await prod.read(`/Users/${ada.id}`)).userName, ada.userName);
	assert.equal((await dev.get(`/Groups/${made.id}`)).status, 404);
	const found = await prod.read(`/Groups?${filter(`displayName eq "${made.displayName}"`)}`);
	assert.deepEqual(ids(found.Resources[0].members), [ada.id]);
	await prod.delete(`/Groups/${made.id}`);
	assert.equal((await prod.get(`/Users/${ada.id}`)).status, 404);
	assert.equal((await scim.get(`/Groups/${made.id}`)).status, 200);
});

test('workspace: an account group takes entitlements and roles there, nothing else', async () => {
	const [ada, made] = [await user(), await group()];
	await assign(made);
	const path = `/Groups/${made.id}`;
	const refused = 'Error in performing the patch operation on group resource.';
	scimError(await prod.patch(path, { op: 'replace', path: 'displayName', value: fresh('x') }), 500, refused);
	scimError(await prod.patch(path, { op: 'add', path: 'members', value: [{ value: ada.id }] }), 500, refused);
	scimError(await prod.patch(path, { op: 'add', path: 'entitlements', value: null }), 500, refused);
	scimError(await prod.patch(path, { op: 'remove', path: 'entitlements', value: [{ value: 'workspace-access' }] }), 400,
		'No such attribute with the name : entitlements in the current resource', 'invalidPath');
	const replace = (...names) => prod.patch(path, { op: 'replace', path: 'entitlements', value: names.map((value) => ({ value })) });
	assert.deepEqual(values((await replace('workspace-access', 'allow-cluster-create')).json.entitlements),
		['allow-cluster-create', 'workspace-access']);
	assert.deepEqual(values((await replace('databricks-sql-access')).json.entitlements), ['databricks-sql-access']);
	assert.ok(!('entitlements' in (await prod.patch(path, { op: 'replace', path: 'entitlements', value: [{}] })).json));
	await prod.patch(path, { op: 'add', path: 'entitlements', value: [{ value: 'workspace-consume' }] });
	const some = await prod.patch(path, { op: 'remove', path: 'entitlements', value: [{ value: 'workspace-access' }] });
	assert.deepEqual(values(some.json.entitlements), ['workspace-consume']);
	assert.equal((await replace('no-such-right')).status, 400);
	const arn = 'arn:aws:iam::999999999999:role/foo';
	assert.deepEqual(values((await prod.patch(path, { op: 'add', path: 'roles', value: [{ value: arn }] })).json.roles), [arn]);
	assert.ok(!('roles' in await scim.read(path)));
	assert.ok(!('roles' in (await prod.patch(path, { op: 'remove', path: `roles[value eq "${arn}"]` })).json));
	const put = await prod.put(path, { displayName: made.displayName, entitlements: [{ value: 'workspace-access' }] });
	assert.deepEqual(values(put.json.entitlements), ['workspace-access']);
});

test('workspace: users get in by SCIM, out of the workspace only', async () => {
	const name = mail();
	const made = await prod.make('/Users', { userName: name, entitlements: [{ value: 'allow-cluster-create' }] });
	assert.deepEqual(values((await prod.read(`/Users/${made.id}?attributes=entitlements`)).entitlements), ['allow-cluster-create']);
	assert.equal((await scim.read(`/Users/${made.id}`)).userName, name);
	scimError(await prod.post('/Users', { userName: name }), 409, `User with username ${name} already exists.`);
	const known = await user({ displayName: 'Ada Sample' });
	const linked = await prod.make('/Users', { userName: known.userName, displayName: 'Another' });
	assert.deepEqual([linked.id, linked.displayName], [known.id, 'Ada Sample']);
	assert.ok(!('entitlements' in linked));
	assert.equal((await prod.delete(`/Users/${known.id}`)).status, 204);
	assert.equal((await prod.get(`/Users/${known.id}`)).status, 404);
	assert.equal((await scim.get(`/Users/${known.id}`)).status, 200);
});

test('workspace: deactivation there, and from the account', async () => {
	const made = await user();
	await assign(made);
	await assign(made, 'dev');
	await prod.patch(`/Users/${made.id}`, { op: 'replace', path: 'active', value: [{ value: 'false' }] });
	const active = async () => [(await scim.read(`/Users/${made.id}`)).active, (await prod.read(`/Users/${made.id}`)).active,
		(await dev.read(`/Users/${made.id}`)).active];
	assert.deepEqual(await active(), [true, false, true]);
	await scim.patch(`/Users/${made.id}`, { op: 'replace', path: 'active', value: false });
	assert.deepEqual(await active(), [false, false, false]);
	assert.equal((await dev.patch(`/Users/${made.id}`, { op: 'replace', path: 'active', value: true })).status, 400);
	await scim.patch(`/Users/${made.id}`, { op: 'replace', path: 'active', value: true });
	assert.deepEqual(await active(), [true, false, false]);
	await dev.patch(`/Users/${made.id}`, { op: 'replace', path: 'active', value: true });
	assert.deepEqual(await active(), [true, false, true]);
});

test('workspace: local groups', async () => {
	const name = fresh('local');
	const made = await prod.make('/Groups', { displayName: name });
	assert.deepEqual(made.meta, { resourceType: 'WorkspaceGroup' });
	assert.equal((await scim.get(`/Groups/${made.id}`)).status, 404);
	assert.equal((await dev.get(`/Groups/${made.id}`)).status, 404);
	scimError(await prod.post('/Groups', { displayName: name }), 409, `Group with name ${name} already exists.`);
	const account = await group({ displayName: name });
	assert.equal((await assign(account)).status, 409);
	const renamed = await prod.patch(`/Groups/${made.id}`, { op: 'replace', path: 'displayName', value: `db-temp-${name}` });
	assert.equal(renamed.json.displayName, `db-temp-${name}`);
	assert.equal((await assign(account)).status, 200);
	scimError(await prod.patch(`/Groups/${made.id}`, { op: 'replace', path: 'displayName', value: name }), 409,
		`Group with name ${name} already exists.`);
	const ada = await prod.make('/Users', { userName: mail() });
	const filled = await prod.patch(`/Groups/${made.id}`, { op: 'add', path: 'members', value: [{ value: ada.id }] });
	assert.deepEqual(ids(filled.json.members), [ada.id]);
	assert.deepEqual((await prod.read(`/Users/${ada.id}`)).groups.map((one) => one.display), ['users', `db-temp-${name}`]);
	const put = await prod.put(`/Groups/${made.id}`, { displayName: name.toUpperCase() + '-2', externalId: 'e' });
	assert.deepEqual([put.json.members, put.json.externalId], [undefined, 'e']);
	assert.equal((await prod.delete(`/Groups/${made.id}`)).status, 204);
	assert.equal((await prod.get(`/Groups/${made.id}`)).status, 404);
});

test('how many an account may have', async () => {
	const folder = mkdtempSync(join(tmpdir(), 'dbx-sim-')), seed = join(folder, 'seed');
	const lines = [];
	for (let n = 0; n < 9998; n++) // with our own service principal one less than the limit
		lines.push(JSON.stringify({ user: { userName: `sample-${n}@example.com` } }));
	for (let n = 0; n < 4998; n++) // and account users
		lines.push(JSON.stringify({ group: { displayName: `sample-${n}` } }));
	writeFileSync(seed, lines.join('\n'));
	const own = await Sim.start('--seed', seed, '--quirk', 'identity-limits=on');
	await own.scim.make('/Users', { userName: 'last@example.com' });
	for (const [path, body] of [['/Users', { userName: 'x@example.com' }], ['/ServicePrincipals', { displayName: 'x' }]])
		scimError(await own.scim.post(path, body), 400, 'RESOURCE_LIMIT_EXCEEDED: the limit of 10000 users and service principals has been reached', 'invalidValue');
	await own.scim.make('/Groups', { displayName: 'last' });
	scimError(await own.scim.post('/Groups', { displayName: 'x' }), 400, 'RESOURCE_LIMIT_EXCEEDED: the limit of 5000 groups has been reached', 'invalidValue');
	await own.stop();
	rmSync(folder, { recursive: true });
});

test('workspace: its system groups', async () => {
	const find = async (name) => (await prod.read(`/Groups?${filter(`displayName eq "${name}"`)}`)).Resources[0];
	const [admins, users, ada] = [await find('admins'), await find('users'), await user()];
	assert.deepEqual(values(users.entitlements), ['databricks-sql-access', 'workspace-access']);
	const add = (where) => prod.patch(`/Groups/${where.id}`, { op: 'add', path: 'members', value: [{ value: ada.id }] });
	const remove = (where) => prod.patch(`/Groups/${where.id}`, { op: 'remove', path: `members[value eq "${ada.id}"]` });
	const level = async () => (await sim.assignments('prod').read('')).permission_assignments
		.find((one) => one.principal.user_name === ada.userName)?.permissions;
	assert.equal((await add(users)).status, 200);
	assert.deepEqual(await level(), ['USER']);
	assert.equal((await add(admins)).status, 200);
	assert.deepEqual(await level(), ['ADMIN']);
	assert.ok(ids((await find('admins')).members).includes(ada.id));
	assert.equal((await remove(admins)).status, 200);
	assert.deepEqual(await level(), ['USER']);
	assert.equal((await remove(users)).status, 400);
	assert.deepEqual(await level(), ['USER']);
	for (const one of [admins, users]) {
		assert.equal((await prod.delete(`/Groups/${one.id}`)).status, 403);
		assert.equal((await prod.patch(`/Groups/${one.id}`, { op: 'replace', path: 'displayName', value: 'x' })).status, 403);
	}
	const less = await prod.patch(`/Groups/${users.id}`, { op: 'replace', path: 'entitlements', value: [{ value: 'workspace-access' }] });
	assert.deepEqual(values(less.json.entitlements), ['workspace-access']);
});

test('workspace: the account seen from there', async () => {
	const made = await group();
	const mirror = new Client(`${sim.workspace('prod').base}/api/2.0/account/scim/v2`, sim.workspace('prod').token);
	assert.equal((await mirror.read(`/Groups/${made.id}`)).displayName, made.displayName);
	assert.equal((await mirror.get('/Groups/1')).status, 404);
});

test('service principals in a workspace', async () => {
	const made = await prod.make('/ServicePrincipals', { displayName: fresh('sp'), entitlements: [{ value: 'workspace-access' }] });
	assert.equal((await scim.read(`/ServicePrincipals/${made.id}`)).applicationId, made.applicationId);
	assert.deepEqual(values((await prod.read(`/ServicePrincipals/${made.id}`)).entitlements), ['workspace-access']);
	const none = await prod.patch(`/ServicePrincipals/${made.id}`, { op: 'replace', path: 'entitlements', value: [{}] });
	assert.ok(!('entitlements' in none.json));
});

