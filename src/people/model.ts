import mongoose, { type Connection, type Model } from 'mongoose';

/** Someone who has called with a good token, or whom an operator has added. */
export interface User {
  /** The `oid` claim: the object id in the tenant's directory. */
  oid: string;
  /** The `name` claim of the last token that had one. */
  name?: string;
  firstSeen: Date;
  /** At most a minute behind. Absent until someone who was added calls for the first time. */
  lastSeen?: Date;
}

const schema = new mongoose.Schema<User>(
  { oid: String, name: String, firstSeen: Date, lastSeen: Date },
  { collection: 'users', versionKey: false, strict: 'throw', strictQuery: 'throw' },
);
schema.index({ oid: 1 }, { unique: true });

/** The model on this connection; the same one for every call. */
export function userModel(connection: Connection): Model<User> {
  return (connection.models['User'] as Model<User> | undefined) ?? connection.model<User>('User', schema);
}
