import mongoose, { type Connection, type Model, type Types } from 'mongoose';

/** Someone who has called with a valid token, or whom an operator has added. */
export interface User {
  /** The owner id: the object id in the tenant's directory. */
  oid: string;
  /** The `name` claim of the last token that had one. */
  name?: string;
  firstSeen: Date;
  /** To within a minute. Absent until someone who was added calls for the first time. */
  lastSeen?: Date;
}

/** A user as stored. The `_id` names this life of theirs: who is erased and calls again has another. */
export interface UserDocument extends User {
  _id: Types.ObjectId;
  /** Names the erasure that has begun. Until this document is gone, nothing of theirs may be stored. */
  erasing?: Types.ObjectId;
}

const schema = new mongoose.Schema<UserDocument>(
  { oid: String, name: String, firstSeen: Date, lastSeen: Date, erasing: mongoose.Schema.Types.ObjectId },
  { collection: 'users', versionKey: false, strict: 'throw', strictQuery: 'throw' },
);
schema.index({ oid: 1 }, { unique: true });
// For the start, which finishes interrupted erasures: it holds only people who are being erased.
schema.index({ erasing: 1 }, { partialFilterExpression: { erasing: { $exists: true } } });

/** The model on this connection; the same one for every call. */
export function userModel(connection: Connection): Model<UserDocument> {
  const known = connection.models['User'] as Model<UserDocument> | undefined;
  return known ?? connection.model<UserDocument>('User', schema);
}

/** The condition for someone who is not being erased. */
export const ALIVE = { erasing: { $exists: false } } as const;
