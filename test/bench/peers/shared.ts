/** What the peers have in common: the variables they are started with, the tenant, and the tasks that ours wrote. */
import { randomBytes } from 'node:crypto';
import { ObjectId } from 'mongodb';

export interface PeerTask {
  _id: ObjectId;
  owner: string;
  Text: string;
  completed: boolean;
  date: Date;
  completedAt: Date | null;
  /** From here on only where it says something. */
  notes?: string | null;
  importance?: string;
  categories?: string[];
  checklist?: { text: string; completed: boolean }[];
  remindAt?: Date | null;
  position?: string | null;
  createdAt: Date;
  updatedAt: Date;
  version: ObjectId;
}

export const PAGE = 20;
export const DUE_FIRST = { date: 1, _id: 1 } as const;

export function env(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

/** Where the tenant says that its keys are. */
export async function tenantMetadata(): Promise<{ issuer: string; jwksUri: string }> {
  const response = await fetch(env('B2C_IDENTITY_METADATA').replace('{policy}', env('B2C_POLICY_NAME')));
  const { issuer, jwks_uri: jwksUri } = (await response.json()) as { issuer: string; jwks_uri: string };
  return { issuer, jwksUri };
}

export function live(owner: string): { owner: string; deletedAt: null } {
  return { owner, deletedAt: null };
}

export function newTask(owner: string, { Text, date }: { Text: string; date?: string }): PeerTask {
  const now = new Date();
  return {
    _id: new ObjectId(randomBytes(12)),
    owner,
    Text,
    completed: false,
    date: date === undefined ? now : new Date(date),
    completedAt: null,
    createdAt: now,
    updatedAt: now,
    version: new ObjectId(randomBytes(12)),
  };
}

/** A task as ours shows it. */
export function toTask({ _id, Text, completed, date, completedAt, createdAt, updatedAt, ...details }: PeerTask) {
  const { notes = null, importance = 'normal', categories = [], checklist = [], remindAt, position = null } = details;
  return {
    _id: _id.toHexString(),
    Text,
    task: Text,
    completed,
    date: date.toISOString(),
    due: date.toISOString(),
    completedAt: completedAt?.toISOString() ?? null,
    notes,
    importance,
    categories,
    checklist,
    remindAt: remindAt?.toISOString() ?? null,
    position,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}
