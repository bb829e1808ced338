/** The caller's account: who they are, what is stored about them, export and erasure. */
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
  /** How a body with this description is read. */
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
    name: { type: 'string', description: 'From the last token that had one; absent if none did.' },
    firstSeen: { ...time, description: 'When you first called, or were added.' },
    lastSeen: { ...time, description: 'When you last called, to within a minute.' },
  },
});
const records = { type: 'array', items: { type: 'object' } };
const stored = schema('StoredAboutMe', {
  type: 'object',
  description: 'Everything stored about you, as it is stored.',
  required: ['oid', 'exportedAt', 'tasks', 'creations', 'syncs', 'users'],
  properties: {
    oid: { type: 'string' },
    exportedAt: time,
    tasks: { ...records, description: 'Including deleted ones, until your devices need no longer hear of them.' },
    creations: { ...records, description: 'Idempotency records: a repeated `POST` creates nothing.' },
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
      description: 'Without your tasks: see `GET /api/tasks`, or `GET /api/me/export` for all of it.',
      answers: { 200: answer('You', me, { alice: example('Alice', alice) }) },
      handle: async ({ caller, signal }) => {
        const known = await users.get(caller.oid, signal());
        if (known !== undefined) return ok(known);
        await registration.renew(caller, signal());
        return ok((await users.get(caller.oid, signal())) ?? { oid: caller.oid });
      },
    },
    {
      ...account,
      name: 'GetMyExport',
      method: 'GET',
      path: '/api/me/export',
      guard: toRead,
      summary: 'Everything stored about you',
      description: 'To keep, or to take elsewhere. It is streamed, so it has no length and no tag.',
      answers: {
        200: answer('Everything', stored, { everything: example('Without tasks', everything) }, [
          'Content-Disposition',
        ]),
      },
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
        'Erases everything stored about you, **at once and for good**: your tasks, the records of deleted ones, and your ' +
        'user. Earlier sync tokens become 410. If you call again, and this server accepts new users, you start with ' +
        'nothing. After a 503 send it again: it continues where it stopped.',
      body: readBody(IGNORED_BODY),
      answers: { 204: answer('Erased') },
      handle: async ({ caller, signal, extend }) => {
        // Before, so that this instance lets nothing of theirs through meanwhile; and after, for what it learnt meanwhile.
        registration.forget(caller.oid);
        await erasePerson(connection, caller.oid, new Date(clock.now()), { signal: signal(), extend });
        registration.forget(caller.oid);
        return noContent;
      },
    },
  ];
}
