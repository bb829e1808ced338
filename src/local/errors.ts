/** Something that the developer can put right: shown as one message without a stack. */
export class DevError extends Error {
  /** What the process exits with. */
  readonly exitCode: number;

  constructor(message: string, { exitCode = 1, cause }: { exitCode?: number; cause?: unknown } = {}) {
    super(message, { cause });
    this.name = new.target.name;
    this.exitCode = exitCode;
  }
}

/** The command line was not understood. The message already holds the usage. */
export class UsageError extends DevError {
  constructor(message: string) {
    super(message, { exitCode: 2 });
  }
}

/** What the operating system said ("EACCES"), or nothing for an error that did not come from it. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
