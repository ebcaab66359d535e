/** Coerces whatever was thrown to an Error, keeping the original as its cause. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
}

/** An error that its reader can mend: shown as one line, without a stack, and with its remedy. */
export class OperatorError extends Error {
  readonly remedy: string | undefined;
  constructor(message: string, options: { remedy?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'OperatorError';
    this.remedy = options.remedy;
  }
}
