import { encode } from './documents.ts';
import { execute, type Reply } from './commands/dispatch.ts';
import type { Engine } from './commands/command.ts';
import type { Message } from './wire.ts';

export interface Log {
  warn(fields: object, message: string): void;
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

interface Job {
  readonly message: Message;
  readonly connectionId: number;
  reply(body: Uint8Array): void;
}

const MAX_BATCH = 200;

/**
 * Carries out commands one after the other. Those that came in together share one commit, since the disk takes as long for one
 * as for many; none is answered before that commit has returned.
 */
export class Executor {
  readonly #engine: Engine;
  readonly #log: Log;
  #waiting: Job[] = [];
  #isScheduled = false;
  #isFinished = false;

  constructor(engine: Engine, log: Log) {
    this.#engine = engine;
    this.#log = log;
  }

  add(job: Job): void {
    if (this.#isFinished) return;
    this.#waiting.push(job);
    this.#schedule();
  }

  /** Carries out and answers what is waiting, and takes nothing more. */
  finish(): void {
    this.#isFinished = true;
    while (this.#waiting.length > 0) this.#runBatch();
  }

  /** Removes what has expired, for when no command asks. */
  expire(): void {
    try {
      this.#engine.expiry.removeExpired(this.#engine.clock.now());
    } catch (error) {
      this.#log.error({ err: error }, 'expired documents could not be removed');
    }
    this.#commit();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting.length === 0) return;
    this.#isScheduled = true;
    // After the sockets that are readable now have been read, so that their commands join the batch.
    setImmediate(() => {
      this.#isScheduled = false;
      this.#runBatch();
      this.#schedule();
    });
  }

  #runBatch(): void {
    const jobs = this.#waiting.splice(0, MAX_BATCH);
    const done = jobs.map((job) => ({ job, reply: this.#execute(job) }));
    const failure = this.#commit();
    for (const { job, reply } of done) {
      if (!reply.isSilent) job.reply(failure ?? reply.body);
    }
  }

  #execute({ message, connectionId }: Job): Reply {
    try {
      return execute(this.#engine, message, connectionId);
    } catch (error) {
      return { body: this.#internalError(error), isSilent: message.moreToCome };
    }
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
      this.#engine.expiry.forget();
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
