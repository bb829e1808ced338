import type { Engine, Steps } from './commands/command.ts';
import { execute } from './commands/dispatch.ts';
import { encode } from './documents.ts';
import { CommandError, refusalOf } from './errors.ts';
import { removeExpired } from './expiry.ts';
import type { Message } from './wire.ts';

export interface Log {
  warn(fields: object, message: string): void;
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

interface Task {
  readonly message: Message;
  readonly done: (answer: Uint8Array) => void;
  /** Once it has begun. */
  steps?: Steps<Uint8Array>;
  answer?: Uint8Array;
}

/** How long one command runs before the others get their turn, and how long several run before the event loop does. */
const SLICE_MS = 4;
const TURN_MS = 12;
const EXPIRY_INTERVAL_MS = 1000;

const INTERRUPTED = encode(refusalOf(new CommandError(11600, 'interrupted at shutdown')));

/**
 * Carries out commands one after the other; one that takes longer than a turn goes on behind the others. Those that are done in the
 * same turn share one commit, since the disk takes as long for one as for many; none is answered before that commit has returned.
 */
export class Executor {
  readonly #engine: Engine;
  readonly #log: Log;
  #tasks: Task[] = [];
  #isScheduled = false;
  #isFinished = false;
  #nextExpiryMs = 0;

  constructor(engine: Engine, log: Log) {
    this.#engine = engine;
    this.#log = log;
  }

  /** The body of the answer. */
  run(message: Message): Promise<Uint8Array> {
    if (this.#isFinished) return Promise.resolve(INTERRUPTED);
    return new Promise((done) => {
      this.#tasks.push({ message, done });
      this.#schedule();
    });
  }

  /** Interrupts what waits and what comes. What long commands have done so far is kept. */
  finish(): void {
    this.#isFinished = true;
    while (this.#tasks.length > 0) this.#runTurn();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#tasks.length === 0) return;
    this.#isScheduled = true;
    // After the sockets that are readable now have been read, so that their commands join the commit.
    setImmediate(() => {
      this.#isScheduled = false;
      this.#runTurn();
      this.#schedule();
    });
  }

  #runTurn(): void {
    const end = performance.now() + TURN_MS;
    const turn: Task[] = [];
    try {
      this.#removeExpired();
      for (let task = this.#tasks.shift(); task !== undefined; task = this.#tasks.shift()) {
        turn.push(task);
        this.#advance(task, performance.now() + SLICE_MS);
        if (task.answer === undefined || performance.now() > end) break;
      }
      if (turn.some(({ answer }) => answer !== undefined)) this.#engine.storage.commit();
    } catch (error) {
      this.#fail(error, turn);
    }
    for (const task of turn) {
      if (task.answer === undefined) this.#tasks.push(task);
      else task.done(task.answer);
    }
  }

  #advance(task: Task, end: number): void {
    if (this.#isFinished) {
      task.answer = INTERRUPTED;
      return;
    }
    task.steps ??= execute(this.#engine, task.message);
    do {
      const step = task.steps.next();
      if (step.done === true) task.answer = step.value;
    } while (task.answer === undefined && performance.now() < end);
  }

  #removeExpired(): void {
    const now = this.#engine.clock.now();
    if (now < this.#nextExpiryMs) return;
    this.#nextExpiryMs = now + EXPIRY_INTERVAL_MS; // also when it fails: commands are not to wait for it
    if (removeExpired(this.#engine, now)) this.#nextExpiryMs = now;
  }

  /** Nothing since the last commit is kept: everybody who has begun, and may have read or written it, is told. */
  #fail(error: unknown, turn: Task[]): void {
    const SQLITE_FULL = 13;
    const isFull = (error as { errcode?: number }).errcode === SQLITE_FULL;
    this.#log.error({ err: error }, isFull ? 'the disk is full' : 'the embedded store failed');
    const refused = isFull
      ? new CommandError(14031, 'the disk is full')
      : new CommandError(1, `the embedded store failed: ${(error as Error).message}`);
    const answer = encode(refusalOf(refused));
    this.#engine.storage.rollback();
    this.#engine.catalog.reload();
    turn.push(...this.#tasks.filter(({ steps }) => steps !== undefined));
    this.#tasks = this.#tasks.filter(({ steps }) => steps === undefined);
    for (const task of turn) task.answer = answer;
  }
}
