/** What the peers have in common: the variables they are started with, and the tasks that ours wrote. */
import mongoose, { type Model, type Types } from 'mongoose';

export interface PeerTask {
  _id: Types.ObjectId;
  owner: string;
  Text: string;
  completed: boolean;
  date: Date;
  completedAt: Date | null;
  createdAt: Date;
  updatedAt: Date;
  version: Types.ObjectId;
  deletedAt: Date;
}

export async function connectPeer(): Promise<{ tasks: Model<PeerTask> }> {
  await mongoose.connect(env('MONGODB_URI'), { autoCreate: false, autoIndex: false });
  const { ObjectId } = mongoose.Schema.Types;
  const schema = new mongoose.Schema<PeerTask>({
    owner: String,
    Text: String,
    completed: Boolean,
    date: Date,
    completedAt: Date,
    createdAt: Date,
    updatedAt: Date,
    version: ObjectId,
    deletedAt: Date,
  });
  return { tasks: mongoose.model<PeerTask>('Task', schema, 'tasks') };
}

export function env(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}
