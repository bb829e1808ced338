/**
 * Which history a number belongs to. Numbers are given again after a database went back in time, so they are given under
 * the name of an epoch, and a new epoch begins whenever the numbers before it cannot be vouched for. Pure.
 */
import { randomBytes } from 'node:crypto';

export interface History {
  /** Random; names the row of numbers that the last one is in. */
  epoch: string;
  /** The last number given. */
  number: number;
  /** The rows before it, oldest first, and the last number of each. */
  past?: { epoch: string; until: number }[];
}

/** A number that was handed out, with the epoch in which it was given. */
export interface Mark {
  epoch: string;
  number: number;
}

/** Epochs that are remembered. One begins whenever an instance first meets an owner, so this is weeks of deployments. */
const MAX_PAST = 100;

export function newEpoch(): string {
  return randomBytes(9).toString('base64url');
}

/** Whether this history is the one that the number was given in, and has come as far. */
export function vouchesFor({ epoch, number, past = [] }: History, mark: Mark): boolean {
  if (mark.epoch === epoch) return mark.number <= number;
  return past.some((row) => row.epoch === mark.epoch && mark.number <= row.until);
}

/** The epoch in which this history gave the number. */
export function epochOf({ epoch, past = [] }: History, number: number): string {
  return past.find(({ until }) => number <= until)?.epoch ?? epoch;
}

/** The same numbers so far; the next one is in a new epoch. */
export function inNewEpoch<H extends History>(history: H): H {
  const { epoch, number, past = [] } = history;
  return { ...history, epoch: newEpoch(), past: [...past, { epoch, until: number }].slice(-MAX_PAST) };
}
