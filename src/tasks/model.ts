import type { Connection, Model, SchemaOptions, Types } from 'mongoose';
import mongoose from 'mongoose';
import { type Details, memberList } from './members.ts';

const { Schema } = mongoose;
const { ObjectId } = Schema.Types;

/**
 * A task as it is stored, or its tombstone: a deleted task is replaced by one, which has `deletedAt` and neither text nor
 * dates. The tutorial's documents have `task` or `Text`, and otherwise certainly only `_id` and `owner`.
 */
export interface TaskDocument extends Partial<Details> {
  _id: Types.ObjectId;
  owner: string;
  Text?: string;
  /** Where the tutorial's first edition kept the text. */
  task?: string;
  date?: Date;
  /** How the date was given if not as a time: as a day (midnight UTC), or not at all (the time of creation). */
  due?: 'none' | 'day';
  completedAt?: Date | null;
  createdAt?: Date;
  updatedAt?: Date;
  /** Random, new at every write: the entity tag, and what writers compare and swap. */
  version?: Types.ObjectId;
  /** Position in the owner's changes. Absent after every write, until a reader of the changes assigns one. */
  seq?: number;
  deletedAt?: Date;
  /**
   * In a tombstone with its own id: the task that is moved to another owner and keeps its id there. Until it has arrived,
   * the tombstone has the number 0, which no feed shows.
   */
  gone?: Types.ObjectId;
}

/** How far the changes of one owner are numbered. */
export interface SyncDocument {
  _id: Types.ObjectId;
  owner: string;
  /** The epoch of the last number (see `numbering.ts`). */
  epoch: string;
  /** The last assigned number. */
  number: number;
  /** Earlier epochs. Absent in records of earlier versions. */
  past?: { epoch: string; until: number }[];
  /** The exact states that got, or are about to get, this number. Emptied when all have it. */
  entries: { id: Types.ObjectId; version: Types.ObjectId | null }[];
}

/** What is needed to answer a repeated POST like the first. The text is in the request itself. */
export interface CreationDocument {
  /** Digest of owner and key. */
  _id: string;
  owner: string;
  /** Digest of the request. */
  fingerprint: string;
  task: Types.ObjectId;
  version: Types.ObjectId;
  at: Date;
}

/** What a list can be sorted by. */
export const SORTED = ['date', 'createdAt', 'updatedAt', 'position'] as const;

/** Days for which a sync token is valid. */
export const SYNC_DAYS = 30;
/** Hours in which a repeated POST creates nothing. */
export const CREATION_HOURS = 24;

const HOUR_SECONDS = 3600;
// An hour longer than needed, for instances and a server whose clocks differ.
const TOMBSTONE_SECONDS = (SYNC_DAYS * 24 + 1) * HOUR_SECONDS;
const CREATION_SECONDS = (CREATION_HOURS + 1) * HOUR_SECONDS;

// A name that is not in the schema is an error; by default mongoose drops it, even from a filter.
const STRICT: SchemaOptions = { strict: 'throw', strictQuery: 'throw', versionKey: false, id: false, minimize: false };

export type TaskModels = ReturnType<typeof taskModels>;

/** The models on this connection. Their collections and indexes are created before the API is ready. */
export function taskModels(connection: Connection) {
  return {
    tasks: modelOn<TaskDocument>(connection, 'Task', taskSchema),
    syncs: modelOn<SyncDocument>(connection, 'Sync', syncSchema),
    creations: modelOn<CreationDocument>(connection, 'Creation', creationSchema),
  };
}

function modelOn<T>(connection: Connection, name: string, schema: mongoose.Schema): Model<T> {
  return (connection.models[name] ?? connection.model(name, schema)) as unknown as Model<T>;
}

const memberTypes = Object.fromEntries(
  // Otherwise mongoose would put an empty list into every document that it creates.
  memberList.map(([name, { type }]) => [name, { type, default: undefined }]),
) as object;

// Every index starts with the owner, except those by which the store deletes what is too old.
const taskSchema = new Schema(
  {
    owner: String,
    Text: String,
    task: String,
    date: Date,
    due: String,
    ...memberTypes,
    completedAt: Date,
    createdAt: Date,
    updatedAt: Date,
    version: ObjectId,
    seq: Number,
    deletedAt: Date,
    gone: ObjectId,
  },
  { ...STRICT, collection: 'tasks' },
);
taskSchema.index({ owner: 1, _id: 1 });
for (const name of SORTED) taskSchema.index({ owner: 1, deletedAt: 1, [name]: 1, _id: 1 });
taskSchema.index({ owner: 1, seq: 1, _id: 1 });
// Descending, so that it can exist beside the full one of earlier versions, which has an entry for every live task.
taskSchema.index(
  { deletedAt: -1 },
  { expireAfterSeconds: TOMBSTONE_SECONDS, partialFilterExpression: { deletedAt: { $exists: true } } },
);

const syncSchema = new Schema(
  {
    owner: String,
    epoch: String,
    number: Number,
    past: [{ _id: false, epoch: String, until: Number }],
    entries: [{ _id: false, id: ObjectId, version: ObjectId }],
  },
  { ...STRICT, collection: 'syncs' },
);
syncSchema.index({ owner: 1 }, { unique: true });

const creationSchema = new Schema(
  { _id: String, owner: String, fingerprint: String, task: ObjectId, version: ObjectId, at: Date },
  { ...STRICT, collection: 'creations' },
);
creationSchema.index({ at: 1 }, { expireAfterSeconds: CREATION_SECONDS });
creationSchema.index({ owner: 1, _id: 1 });
