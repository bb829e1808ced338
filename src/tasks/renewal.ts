import type { AnyBulkWriteOperation, Connection } from 'mongoose';
import { newEpoch } from './history.ts';
import { taskModels, type SyncDocument, type TaskModels } from './model.ts';

/** Records that one command writes. */
const BATCH = 500;
/** Numbers left out, so that one which is given while this runs is not given again. */
const SPARE = 1000;

/**
 * Begins a new history of changes for everyone, so that every sync token from before is refused. Live: what is being
 * numbered meanwhile is numbered in the old history or in the new one. May be run again. Resolves to how many users.
 */
export async function beginNewHistories(connection: Connection): Promise<number> {
  const models = taskModels(connection);
  let count = 0;
  for (let after: SyncDocument['_id'] | undefined; ; count += BATCH) {
    const where = after === undefined ? {} : { _id: { $gt: after } };
    const records = await models.syncs.find(where, { owner: 1, number: 1 }).sort({ _id: 1 }).limit(BATCH).lean();
    await renewAll(models, records);
    if (records.length < BATCH) return count + records.length;
    after = records.at(-1)?._id;
  }
}

type SyncRecord = Pick<SyncDocument, '_id' | 'owner' | 'number'>;

async function renewAll(models: TaskModels, records: SyncRecord[]): Promise<void> {
  if (records.length === 0) return;
  await models.syncs.bulkWrite(await Promise.all(records.map((record) => renewal(models, record))), { ordered: false });
}

async function renewal(models: TaskModels, record: SyncRecord): Promise<AnyBulkWriteOperation<SyncDocument>> {
  const { _id, owner } = record;
  // Tasks may be newer than the record: no number may be given twice in one history.
  const last = await models.tasks
    .findOne({ owner: { $eq: owner } }, { seq: 1 })
    .sort({ seq: -1, _id: -1 })
    .lean();
  const update = { $set: { epoch: newEpoch(), past: [], number: Math.max(record.number, last?.seq ?? 0) + SPARE } };
  return { updateOne: { filter: { owner: { $eq: owner }, _id }, update } };
}
