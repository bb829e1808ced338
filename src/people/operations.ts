/** Who the caller is, what is kept about them, all of it to take along, and its end. */
import type { Connection } from 'mongoose';
import type { Clock } from '../clock.ts';
import { noContent, ok } from '../http/answer.ts';
import { IGNORED_BODY } from '../http/body.ts';
import type { Body, Guard, Operation } from '../http/operation.ts';
import { answer, example, schema } from '../http/schema.ts';
import { erasePerson } from './erasure.ts';
import { exportPerson } from './personal.ts';
import type { Registration } from './registration.ts';
import { UserStore } from './store.ts';

export interface PeopleParts {
  connection: Connection;
  clock: Clock;
  registration: Registration;
  toRead: Guard;
  toWrite: Guard;
  /** How a body that is described so is read. */
  readBody: (body: typeof IGNORED_BODY) => Body;
}

const named = schema('Caller', { type: 'object', required: ['name'], properties: { name: { type: 'string' } } });
const time = { type: 'string', examples: ['2026-11-23T09:00:00.000Z'] };
const me = schema('Me', {
  type: 'object',
  description: 'What is kept about you, besides your tasks.',
  required: ['oid', 'firstSeen', 'lastSeen'],
  properties: {
    oid: { type: 'string', description: 'Your object id in the tenant.' },
    name: { type: 'string', description: 'From the last token that had one; absent when none had.' },
    firstSeen: { ...time, description: 'When you first called, or were added.' },
    lastSeen: { ...time, description: 'When you last called. At most a minute behind.' },
  },
});
const records = { type: 'array', items: { type: 'object' } };
const stored = schema('StoredAboutMe', {
  type: 'object',
  description: 'Everything that is stored about you, as it is stored.',
  required: ['oid', 'exportedAt', 'tasks', 'creations', 'syncs', 'users'],
  properties: {
    oid: { type: 'string' },
    exportedAt: time,
    tasks: { ...records, description: 'Deleted ones too, for as long as your devices must hear of them.' },
    creations: { ...records, description: 'What makes a repeated `POST` create nothing.' },
    syncs: { ...records, description: 'How far your changes are numbered.' },
    users: records,
  },
});
const alice = {
  oid: '7f0c1b54-5a0e-4f7e-9c39-5d1f7b6f8a10',
  name: 'Alice',
  firstSeen: '2026-11-23T09:00:00.000Z',
  lastSeen: '2026-11-24T09:00:00.000Z',
};
const everything = {
  oid: alice.oid,
  exportedAt: alice.lastSeen,
  creations: [],
  tasks: [],
  syncs: [],
  users: [alice],
};

const ATTACHMENT = { 'Content-Disposition': 'attachment; filename="tasks.json"' };

export function peopleOperations(parts: PeopleParts): Operation[] {
  const { connection, clock, registration, toRead, toWrite, readBody } = parts;
  const users = new UserStore(connection);
  const account = { path: '/api/me', tag: 'Account' } as const;
  return [
    {
      name: 'GetHello',
      method: 'GET',
      path: '/hello',
      guard: toRead,
      tag: 'Hello',
      summary: 'Your name, from the token',
      description: 'What Microsoft’s MSAL samples for iOS and Android call first. Empty when the token has no name.',
      answers: { 200: answer('Your name', named, { name: example('A name', { name: 'Alice' }) }) },
      // They need a string.
      handle: ({ caller }) => ok({ name: caller.name ?? '' }),
    },
    {
      ...account,
      name: 'GetMe',
      method: 'GET',
      guard: toRead,
      summary: 'What is kept about you',
      description: 'Your tasks are apart: `GET /api/tasks`, or all at once `GET /api/me/export`.',
      answers: { 200: answer('You', me, { alice: example('Alice', alice) }) },
      handle: async ({ caller, signal }) => {
        const known = await users.get(caller.oid, signal);
        if (known !== undefined) return ok(known);
        await registration.renew(caller, signal);
        return ok((await users.get(caller.oid, signal)) ?? { oid: caller.oid });
      },
    },
    {
      ...account,
      name: 'GetMyExport',
      method: 'GET',
      path: '/api/me/export',
      guard: toRead,
      summary: 'Everything that is stored about you',
      description:
        'For you to keep, or to take elsewhere. It is sent while it is read, so it has no length and no tag.',
      answers: { 200: answer('Everything', stored, { everything: example('Without tasks', everything) }) },
      handle: ({ caller }) => ({
        status: 200,
        headers: ATTACHMENT,
        pieces: exportPerson(connection, caller.oid, new Date(clock.now())),
      }),
    },
    {
      ...account,
      name: 'DeleteMe',
      method: 'DELETE',
      guard: toWrite,
      summary: 'Erase your account',
      description:
        'Erases everything that is stored about you, **at once and for good**: your tasks, what your devices have still to ' +
        'hear of, and yourself. Sync tokens from before are 410. If you call again, and this server takes new users, you ' +
        'begin anew, with nothing. After 503 send it again: it goes on where it was.',
      body: readBody(IGNORED_BODY),
      answers: { 204: answer('Erased') },
      handle: async ({ caller, signal, extend }) => {
        // Before, so that this instance lets nothing of theirs pass meanwhile; and after, for what it learnt meanwhile.
        registration.forget(caller.oid);
        await erasePerson(connection, caller.oid, new Date(clock.now()), { signal, extend });
        registration.forget(caller.oid);
        return noContent;
      },
    },
  ];
}
