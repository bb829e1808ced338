import type { Engine } from './commands/command.ts';
import { type Client, execute } from './commands/dispatch.ts';
import { encode } from './documents.ts';
import { removeExpired } from './expiry.ts';
import type { Steps } from './steps.ts';
import type { Message } from './wire.ts';

export interface Log {
  warn(fields: object, message: string): void;
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

interface Job {
  readonly message: Message;
  readonly client: Client;
  /** Called once, without an answer when the client wants none. */
  done(answer: Uint8Array | undefined): void;
}

interface Task {
  readonly job: Job;
  readonly steps: Steps<Uint8Array>;
}

const INTERRUPTED = encode({
  ok: 0,
  errmsg: 'interrupted at shutdown',
  code: 11600,
  codeName: 'InterruptedAtShutdown',
});

const MAX_BATCH = 200;
/** How long a command goes on before the others have their turn. */
const TURN_MS = 4;

/**
 * Carries out commands: short ones one after the other, long ones by turns. Those that are done together share one commit, since
 * the disk takes as long for one as for many; none is answered before that commit has returned.
 */
export class Executor {
  readonly #engine: Engine;
  readonly #log: Log;
  #waiting: Task[] = [];
  /** Begun, and not done when their turn was over. */
  #begun: Task[] = [];
  #isScheduled = false;
  #isFinished = false;

  constructor(engine: Engine, log: Log) {
    this.#engine = engine;
    this.#log = log;
  }

  add(job: Job): void {
    if (this.#isFinished) return;
    this.#waiting.push({ job, steps: execute(this.#engine, job.message, job.client) });
    this.#schedule();
  }

  /** Carries out and answers what is waiting, interrupts what takes long, and takes nothing more. */
  finish(): void {
    this.#isFinished = true;
    while (this.#waiting.length > 0) this.#runTurn();
    const interrupted = this.#begun.splice(0);
    const failure = this.#commit();
    for (const { job } of interrupted) settle(job, failure ?? INTERRUPTED);
  }

  /** Removes what has expired, for when no command asks. */
  expire(): void {
    try {
      removeExpired(this.#engine, this.#engine.clock.now());
    } catch (error) {
      this.#log.error({ err: error }, 'expired documents could not be removed');
    }
    this.#commit();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting.length + this.#begun.length === 0) return;
    this.#isScheduled = true;
    // After the sockets that are readable now have been read, so that their commands join the batch.
    setImmediate(() => {
      this.#isScheduled = false;
      this.#runTurn();
      this.#schedule();
    });
  }

  /** All that is new, and one of those that take long. */
  #runTurn(): void {
    const tasks = [...this.#begun.splice(0, 1), ...this.#waiting.splice(0, MAX_BATCH)];
    const done = tasks.flatMap((task) => this.#advance(task));
    if (done.length === 0) return; // nobody waits for a commit
    const failure = this.#commit();
    for (const { job, answer } of done) settle(job, failure ?? answer);
  }

  /** The reply, if the task is done within its turn. */
  #advance(task: Task): { job: Job; answer: Uint8Array }[] {
    const { job, steps } = task;
    const end = performance.now() + TURN_MS;
    try {
      do {
        const step = steps.next();
        if (step.done === true) return [{ job, answer: step.value }];
      } while (performance.now() < end);
    } catch (error) {
      return [{ job, answer: this.#internalError(error) }];
    }
    this.#begun.push(task);
    return [];
  }

  /** The answer to everybody when the disk does not take what they wrote. */
  #commit(): Uint8Array | undefined {
    try {
      this.#engine.storage.commit();
      return undefined;
    } catch (error) {
      const answer = this.#internalError(error);
      this.#engine.storage.rollback();
      this.#engine.catalog.reload();
      // What they wrote or read so far may be gone with it.
      for (const { job } of this.#begun.splice(0)) settle(job, answer);
      return answer;
    }
  }

  #internalError(error: unknown): Uint8Array {
    const SQLITE_FULL = 13;
    const isFull = (error as { errcode?: number }).errcode === SQLITE_FULL;
    this.#log.error({ err: error }, isFull ? 'the disk is full' : 'the embedded store failed');
    return encode({
      ok: 0,
      errmsg: isFull ? 'the disk is full' : `the embedded store failed: ${(error as Error).message}`,
      code: isFull ? 14031 : 1,
      codeName: isFull ? 'OutOfDiskSpace' : 'InternalError',
    });
  }
}

function settle(job: Job, answer: Uint8Array): void {
  job.done(job.message.moreToCome ? undefined : answer);
}
