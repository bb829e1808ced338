import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import mongoose, { type Model } from 'mongoose';
import { Database } from '../../src/database/database.ts';
import { until } from '../support/until.ts';

export interface Note {
  owner: string;
  number: number;
}

export interface LogLine {
  level: 'info' | 'warn' | 'error';
  message: string;
  [field: string]: unknown;
}

export interface Opened {
  database: Database;
  notes: Model<Note>;
  lines: LogLine[];
}

const noteSchema = new mongoose.Schema<Note>(
  { owner: String, number: Number },
  { collection: 'notes', versionKey: false },
);
noteSchema.index({ owner: 1, _id: 1 });

/** A database with a model of its own, which starts connecting and closes with the test. */
export async function openDatabase(t: TestContext, uri: string, schema = noteSchema): Promise<Opened> {
  const lines: LogLine[] = [];
  const write = (level: LogLine['level']) => (fields: object, message: string) => {
    lines.push({ ...fields, level, message });
  };
  const log = { info: write('info'), warn: write('warn'), error: write('error') };
  const database = new Database({ uri, clock: Date, log });
  const notes = database.connection.model<Note>('Note', schema);
  t.after(() => database.close());
  await database.start();
  return { database, notes, lines };
}

/** The same, and ready. */
export async function openReady(t: TestContext, uri: string): Promise<Opened> {
  const opened = await openDatabase(t, uri);
  await until(() => opened.database.isReady());
  return opened;
}

/**
 * What the operation is refused with, when that comes in time. Both times pass in this process, so that a busy machine
 * delays them alike.
 */
export async function refusedWithin(ms: number, operation: Promise<unknown>): Promise<unknown> {
  const late = sleep(ms, new Error(`pending after ${ms} ms`), { ref: false });
  const refused = operation.then(
    () => new Error('it succeeded'),
    (error: unknown) => error,
  );
  return await Promise.race([refused, late]);
}
