/** An erasure and a move against writers and syncing devices on two processes, of which any is killed at any time. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { Connection } from 'mongoose';
import { Client, type TaskJson } from '../support/client.ts';
import { Device } from '../support/device.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { type ApiProcess, bareEnv, startProcess } from '../support/process.ts';
import { startServer, type TestServer } from '../support/server.ts';

const CLI = join(import.meta.dirname, '../../src/people/cli.ts');
const MAX_EDITS = 300;

type Victim = 'first' | 'second' | 'mover';

const plans = fc.record({
  erasureAfterMs: fc.nat(1000),
  moveAfterMs: fc.nat(1000),
  kills: fc.array(fc.record({ who: fc.constantFrom<Victim>('first', 'second', 'mover'), afterMs: fc.nat(3000) }), {
    minLength: 3,
    maxLength: 5,
  }),
});

type Plan = typeof plans extends fc.Arbitrary<infer P> ? P : never;

/** Two servers and the command, each of which may be killed and comes back. */
class Fleet {
  readonly #t: TestContext;
  readonly #server: TestServer;
  readonly #servers: (ApiProcess | undefined)[] = [];
  readonly #tokens = new Map<string, string>();
  #mover: ChildProcess | undefined;

  constructor(t: TestContext, server: TestServer) {
    this.#t = t;
    this.#server = server;
  }

  async start(i: number): Promise<void> {
    const env = { MONGODB_URI: this.#server.uri, AUTO_REGISTER: 'false' };
    this.#servers[i] = await startProcess(this.#t, this.#server.tenant, env);
  }

  async kill(who: Victim): Promise<void> {
    if (who === 'mover') {
      this.#mover?.kill('SIGKILL');
      return;
    }
    const i = who === 'first' ? 0 : 1;
    const server = this.#servers[i];
    this.#servers[i] = undefined;
    if (server === undefined) return; // it has not come back yet
    server.child.kill('SIGKILL');
    await this.start(i);
  }

  /** Resolves to nothing when no answer came. */
  async ask<T>(user: string, i: number, request: (client: Client) => Promise<T>): Promise<T | undefined> {
    const server = this.#servers[i % 2] ?? this.#servers[(i + 1) % 2];
    try {
      if (server !== undefined) {
        return await request(new Client(server.url, this.#tokenOf(user), () => undefined));
      }
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
    }
    await sleep(5);
    return undefined;
  }

  #tokenOf(user: string): string | undefined {
    const token = this.#tokens.get(user) ?? this.#server.as(user).token;
    if (token !== undefined) this.#tokens.set(user, token);
    return token;
  }

  /** Runs the command until it is done. */
  async move(from: string, to: string): Promise<void> {
    const env = { ...bareEnv, MONGODB_URI: this.#server.uri };
    for (let code: number | null = null; code !== 0;) {
      this.#mover = spawn(process.execPath, [CLI, 'move', from, to], { cwd: await temporaryDirectory(this.#t), env });
      [code] = (await once(this.#mover, 'close')) as [number | null];
      assert.ok(code === 0 || code === null, `move: exit code ${code}`);
    }
  }
}

/** What a writer knows to be stored. */
class Writer {
  readonly texts = new Set<string>();
  /** Their deletion was sent, but nobody can know whether it was done before they were moved. */
  readonly unknown = new Set<string>();
  /** What was sent, and refused or lost. */
  pending: string | undefined;
  readonly #fleet: Fleet;
  readonly #user: string;
  readonly #i: number;

  constructor(fleet: Fleet, user: string, i: number) {
    this.#fleet = fleet;
    this.#user = user;
    this.#i = i;
  }

  async run(isOver: () => boolean): Promise<void> {
    for (let edit = 0; edit < MAX_EDITS && !isOver(); edit += 1) {
      this.pending = `${this.#user}/${this.#i}/${edit}`;
      const task = await this.create(this.pending);
      if (task === undefined) return;
      if (edit % 3 === 0) await this.#remove(task);
      await sleep(15);
    }
  }

  /** Sends it until it is answered. Resolves to undefined when the user is no longer known. */
  async create(text: string, user = this.#user): Promise<TaskJson | undefined> {
    const send = (client: Client) => client.post('/api/tasks', { Text: text }, { 'Idempotency-Key': text });
    for (let i = this.#i; ; i += 1) {
      const response = await this.#fleet.ask(user, i, send);
      if (response?.status === 403) return undefined;
      if (response?.status === 201) {
        this.pending = undefined;
        this.texts.add(text);
        return (await response.json()) as TaskJson;
      }
      assert.ok(response === undefined || response.status === 503, `POST: ${response?.status}`);
    }
  }

  async #remove({ _id, Text }: TaskJson): Promise<void> {
    for (let i = this.#i; ; i += 1) {
      const response = await this.#fleet.ask(this.#user, i, (client) => client.delete(`/api/tasks/${_id}`));
      if (response?.status === 204) this.texts.delete(Text);
      if (response === undefined || response.status === 503) continue;
      // It is gone, or refused since it was moved. But an earlier request, whose answer was lost, may have deleted it.
      if (response.status !== 204 && i > this.#i) this.unknown.add(Text);
      return;
    }
  }
}

test('what is erased is gone and what is moved is there once, whoever is killed when', async (t) => {
  const server = await startServer(t);
  const fleet = new Fleet(t, server);
  await Promise.all([fleet.start(0), fleet.start(1)]);

  // A failure prints the seed.
  const property = fc.asyncProperty(plans, (plan) => race(server, fleet, plan));
  await fc.assert(property, { numRuns: 1, endOnFailure: true });
});

async function race({ connection, as }: TestServer, fleet: Fleet, plan: Plan): Promise<void> {
  const users = ['gone', 'old', 'new'].map((oid) => ({ oid, firstSeen: new Date() }));
  await connection.collection('users').insertMany(users);
  const [phone, tablet] = [new Device(), new Device()];
  const writersOf = (user: string): Writer[] => [0, 1].map((i) => new Writer(fleet, user, i));
  const [strays, givers, receivers] = [writersOf('gone'), writersOf('old'), writersOf('new')];

  await duringAll(plan, fleet, (isOver) => [
    ...[...strays, ...givers, ...receivers].map((writer) => writer.run(isOver)),
    follow(fleet, phone, 'old', isOver),
    follow(fleet, tablet, 'new', isOver),
  ]);
  // The giver's apps go on as the receiver, with what they could not store: under the same keys.
  for (const writer of givers) if (writer.pending !== undefined) await writer.create(writer.pending, 'new');
  await phone.sync(as('old'));
  await tablet.sync(as('new'));

  assert.deepEqual(await storedOf(connection, 'gone'), []);
  const unknown = new Set([...givers, ...receivers].flatMap((writer) => [...writer.unknown]));
  const expected = [...givers, ...receivers].flatMap(({ texts }) => [...texts]);
  const known = (texts: string[]): string[] => texts.filter((text) => !unknown.has(text)).sort();
  const stored = await connection.collection('tasks').find({ owner: 'new', deletedAt: null }).toArray();
  const texts = stored.map(({ Text }) => Text as string).sort();
  assert.deepEqual(texts, [...new Set(texts)]);
  assert.deepEqual(known(texts), known(expected));
  assert.deepEqual(tablet.texts, texts);
  assert.deepEqual(phone.texts, []);
}

/** Erases, moves and kills as planned, while others are busy until it is over. Whichever fails ends all of it. */
async function duringAll(
  { erasureAfterMs, moveAfterMs, kills }: Plan,
  fleet: Fleet,
  begin: (isOver: () => boolean) => Promise<void>[],
): Promise<void> {
  let isOver = false;
  const busy = Promise.all(begin(() => isOver));
  const done = Promise.all([
    ...kills.map(({ who, afterMs }) => sleep(afterMs).then(() => fleet.kill(who))),
    sleep(erasureAfterMs).then(() => erase(fleet, 'gone')),
    sleep(moveAfterMs).then(() => fleet.move('old', 'new')),
  ]);
  await Promise.race([done, busy.then(() => done)]).finally(() => (isOver = true));
  await busy;
}

async function follow(fleet: Fleet, device: Device, user: string, isOver: () => boolean): Promise<void> {
  for (let i = 0; !isOver(); i += 1) {
    // Refused once its user is no longer known.
    await fleet.ask(user, i, (client) => device.sync(client)).catch(() => undefined);
    await sleep(50);
  }
}

/** Asks for it until it is done. */
async function erase(fleet: Fleet, user: string): Promise<void> {
  for (let i = 0, isDone = false; !isDone; i += 1) {
    const response = await fleet.ask(user, i, (client) => client.delete('/api/me'));
    isDone = response?.status === 204 || response?.status === 403;
  }
}

async function storedOf(connection: Connection, owner: string): Promise<object[]> {
  const found = ['tasks', 'creations', 'syncs', 'users'].map(
    async (name) =>
      await connection
        .collection(name)
        .find({ [name === 'users' ? 'oid' : 'owner']: owner })
        .toArray(),
  );
  return (await Promise.all(found)).flat();
}
